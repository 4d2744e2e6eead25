"""Nobody is told anything foreign, on whatever path, whatever they ask; and everybody finds what is theirs."""

from collections.abc import Iterator
from functools import cache

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import true
from sqlmodel import SQLModel

from app.access import visible as rules
from tests.graph import hostile
from tests.graph.asking import PEOPLE
from tests.graph.attempting import attempts
from tests.graph.crawling import Crawl, Site, forget_statements, on_engines
from tests.graph.doing import change_everything
from tests.graph.marks import MARK, Mark, Marked
from tests.graph.partnering import snapshot
from tests.graph.selecting import SCHEMA, Entrance, documents, entrances

LISTS = [entrance for entrance in entrances() if entrance.name != "nodes"]
OBJECTS = Entrance("nodes")
WITNESSES = ("contoso-manager", "northwind-tool")
"""Two who together see something of every kind."""
RICH = ("contoso-manager", "fabrikam-manager", "northwind-manager", "northwind-admin", "adatum-manager")
"""Those whose cursors others try."""
SENT_BY_OTHERS = "who answers is the invited side, which sees pending invitations only"
NEVER = {
    ("AcceptInvitationPayload", "invitation"): SENT_BY_OTHERS,
    ("DeclineInvitationPayload", "invitation"): SENT_BY_OTHERS,
}
"""Fields that nobody sees with a value, and why."""


@cache
def below_lists(hops: int) -> list[str]:
    """Every path of so many edges below each field of `viewer`; two below the record, which leads everywhere."""
    return [text for each in LISTS for text in documents(each, min(hops, 2) if each.name == "auditEntries" else hops)]


@cache
def below_objects() -> list[str]:
    """Every edge of every type, from the object itself."""
    return documents(OBJECTS, 1)


async def crawl_all(crawl: Crawl, hops: int) -> None:
    """Follow every path, and look at an object of every kind and at all principals and organizations."""
    for text in below_lists(hops):
        await crawl.ask(text)
    kinds = {identifier.partition("_")[0]: identifier for identifier in sorted(crawl.objects)}
    named = [each for each in sorted(crawl.objects) if each.startswith(("user", "security", "application", "tenant"))]
    for text in below_objects():
        await crawl.ask(text, ids=[*kinds.values(), *named][:30])
    await crawl.ask("query($id: ID!) { node(id: $id) { __typename id } }", id=named[0])


async def ask_for_unseen(crawl: Crawl, site: Site) -> list[str]:
    """Ask for everything unseen by its id; says which ids that are."""
    unseen = sorted(site.marked.relations.rows.keys() - crawl.objects)
    for start in range(0, len(unseen), 100):
        await crawl.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=unseen[start : start + 100])
    return unseen


async def crawl_hostile(crawl: Crawl, site: Site) -> None:
    """Ask for everything unseen, and put ids, cursors and words of others wherever there is room for one."""
    unseen = await ask_for_unseen(crawl, site)
    fields = [
        *hostile.with_ids(unseen),
        *hostile.with_cursors(await foreign_cursors(site, crawl)),
        *hostile.with_words(foreign_words(site.marked, crawl)),
    ]
    for text in hostile.documents(fields):
        await crawl.ask(text)


def foreign_words(marked: Marked, crawl: Crawl) -> list[str]:
    """What would find something unseen: words of rooms and people, and whole names of a building and a city."""
    unseen = [mark for mark in marked.marks if mark.object not in crawl.objects]
    words = [mark.word for table in ("rooms", "principals") for mark in unseen if mark.place == (table, "search_key")]
    places = [
        f"{mark.row._mapping[mark.column]} {mark.word}"
        for column in ("building_key", "city_key")
        for mark in unseen
        if mark.place == ("rooms", column)
    ]
    return [*words[:1], *words[-1:], *places[:1], *places[-1:]]


CURSORS: dict[Site, dict[str, set[str]]] = {}


async def foreign_cursors(site: Site, crawl: Crawl) -> dict[str, str]:
    """For each list the cursor of a row that the crawling person does not see."""
    if site not in CURSORS:
        CURSORS[site] = await everybodys_cursors(site)
    unseen = {name: [each for each in sorted(found) if not crawl.knows(each)] for name, found in CURSORS[site].items()}
    return {name: found[0] for name, found in unseen.items() if found}


async def everybodys_cursors(site: Site) -> dict[str, set[str]]:
    """The first cursor of every list of some who see much."""
    names = sorted({place.entrance.name for place in hostile.arguments("String") if place.path == ("after",)})
    text = f"{{ viewer {{ {' '.join(f'{name}(first: 1) {{ pageInfo {{ endCursor }} }}' for name in names)} }} }}"
    found: dict[str, set[str]] = {name: set() for name in names}
    for person in RICH:
        data = await site.crawl(person).ask(text)
        for name in names:
            found[name] |= {data["viewer"][name]["pageInfo"]["endCursor"]} - {None}
    return found


# --- the promises -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("engine", "person"), on_engines(PEOPLE), indirect=["engine"])
async def test_a_person_is_told_nothing_foreign_and_finds_all_that_is_theirs(
    person: str, site: Site, is_long: bool
) -> None:
    crawl = site.crawl(person)

    await crawl_all(crawl, 3 if is_long else 2)

    assert crawl.leaks == []
    missing = crawl.allowed - crawl.seen
    assert {mark.place for mark in site.marked.marks if mark.word in missing and is_shown(mark)} == set()


def is_shown(mark: Mark) -> bool:
    """Not only inside of cursors, as what a list is sorted by; and only users have a sign-in name to show."""
    is_of_no_user = mark.column == "user_principal_name" and not str(mark.object).startswith("user_")
    return mark.column != "name_key" and not is_of_no_user


@pytest.mark.parametrize(("engine", "person"), on_engines(PEOPLE), indirect=["engine"])
async def test_hostile_arguments_tell_a_person_nothing_foreign(person: str, site: Site) -> None:
    crawl = site.crawl(person)

    await crawl_hostile(crawl, site)

    assert crawl.leaks == []


async def attempt_all(crawl: Crawl, site: Site) -> None:
    """Ask for every change that nobody can make, of everything that the person sees and of everything else."""
    domains = [mark for mark in site.marked.marks if mark.place == ("domains", "name")]
    known = [site.marked.domain(mark.row.name) for mark in domains if mark.object in crawl.objects]
    for ids in (crawl.objects, crawl.stored - crawl.objects):
        for text, given in attempts(ids, known):
            await crawl.ask(text, input=given)


@pytest.mark.parametrize(("engine", "person"), on_engines(PEOPLE), indirect=["engine"])
async def test_whoever_asks_for_changes_in_vain_is_told_nothing_foreign_and_changes_nothing(
    person: str, site: Site
) -> None:
    crawl, before = site.crawl(person), await snapshot(site.marked.database)

    await attempt_all(crawl, site)

    assert crawl.leaks == []
    assert await snapshot(site.marked.database) == before


async def test_changes_and_their_refusals_tell_nothing_foreign(own_site: Site) -> None:
    crawls = await change_everything(own_site)

    assert [leak for crawl in crawls for leak in crawl.leaks] == []


async def test_somebody_whom_nobody_stored_is_told_nothing_foreign(site: Site) -> None:
    crawl = site.crawl_as_stranger()

    await crawl_all(crawl, 1)
    await crawl_hostile(crawl, site)
    await attempt_all(crawl, site)

    assert crawl.leaks == []


async def test_a_request_without_a_token_is_told_nothing(site: Site) -> None:
    answer = await site.client(None).post("/graphql", json={"query": below_lists(1)[0]})

    assert answer.status_code == 401
    assert MARK.findall(answer.text) == []


async def test_the_crawl_visits_every_field_of_the_schema(sites: dict[str, Site], own_site: Site) -> None:
    crawls = [sites["sqlite"].crawl(person) for person in WITNESSES]

    for crawl in crawls:
        await crawl_all(crawl, 1)
    crawls += await change_everything(own_site)

    visited = set[tuple[str, str]]().union(*(crawl.visited for crawl in crawls)) | {("Query", "viewer")}
    assert every_field() - visited == NEVER.keys()


def every_field() -> set[tuple[str, str]]:
    """Every `Type.field` of the reviewed schema."""
    kinds = [kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")]
    return {(kind.name, name) for kind in kinds if isinstance(kind, GraphQLObjectType) for name in kind.fields}


async def test_words_that_find_nothing_of_others_do_find_what_is_ones_own(site: Site) -> None:
    crawl = site.crawl("contoso-manager")
    room = next(
        mark for mark in site.marked.marks if mark.place == ("rooms", "search_key") and mark.object in crawl.objects
    )

    data = await crawl.ask(
        "query($word: String) { viewer { rooms(filter: {search: $word}) { nodes { id } } } }", word=room.word
    )

    assert data["viewer"]["rooms"]["nodes"] == [{"id": room.object}]


@pytest.fixture
def statements() -> Iterator[None]:
    """What is made from broken rules is not kept, neither before nor after."""
    forget_statements()
    yield
    forget_statements()


@pytest.mark.parametrize("table", rules.RULES, ids=lambda table: table.__name__)
async def test_the_crawl_finds_a_broken_rule(
    table: type[SQLModel], sites: dict[str, Site], monkeypatch: pytest.MonkeyPatch, statements: None
) -> None:
    site = Site.over(sites["sqlite"].marked, sites["sqlite"].issuer)  # one that has kept no plans of whole rules
    monkeypatch.setitem(rules.RULES, table, lambda _: true())
    forget_statements()
    crawl = site.crawl("northwind-nobody")
    crawl.expected.add("INTERNAL")  # where a rule shows a room and another hides its organization

    await crawl_all(crawl, 0)
    await ask_for_unseen(crawl, site)

    assert crawl.leaks != []
