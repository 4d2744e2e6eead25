"""Pages of a directory are read as one statement, in any order, and whatever is wrong with them is named."""

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.vocabulary import PrincipalKind, UserType
from app.storage.directory_pages import CUT, UNSAID, Directory, Membership, PrincipalRecord, read_directory
from app.storage.graph_pages import BadFile, Page

Write = Callable[..., list[Path]]

CONTEXT = "https://graph.example/v1.0/$metadata#"
REMOVED: dict[str, Any] = {"@removed": {"reason": "deleted"}}
TEXT = "text of at most 256 characters and no control characters"
OBJECT_ID = "id: expected an object id such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301"
TYPES = {"users": "user", "groups": "group", "servicePrincipals": "servicePrincipal"}


def key(number: int) -> str:
    return str(UUID(int=number))


def user(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": key(number),
        "displayName": f"User {number}",
        "userPrincipalName": f"user-{number}@partner.example",
        "userType": "Member",
        **fields,
    }


def named(number: int, **fields: Any) -> dict[str, Any]:
    """A group, or a service principal."""
    return {"id": key(number), "displayName": f"Object {number}", **fields}


def gone(number: int) -> dict[str, Any]:
    return {"id": key(number), **REMOVED}


def member(number: int, kind: str = "user", /, **fields: Any) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": key(number), **fields}


def page(*entries: Any, of: str = "users", **fields: Any) -> dict[str, Any]:
    return {"@odata.context": f"{CONTEXT}{of}", **fields} | {"value": list(entries)}


def groups(*entries: Any, of: str = "groups(displayName,members)") -> dict[str, Any]:
    return page(*entries, of=of)


def delta(number: int, *members: Any, **fields: Any) -> dict[str, Any]:
    """A group with what changed of its members."""
    return named(number, **{"members@delta": list(members)}, **fields)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_files(*pages: Any) -> list[Path]:
        paths = [tmp_path / f"page-{number}.json" for number in range(1, len(pages) + 1)]
        for path, content in zip(paths, pages, strict=True):
            path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return paths

    return to_files


def said(directory: Directory) -> tuple[dict[str, Any], dict[str, Any], int]:
    """What was read, but for where."""
    principals = {
        record.id: (record.kind, record.name, record.user_principal_name, record.user_type, record.is_removed)
        for record in directory.principals.values()
    }
    memberships = {group: (each.is_whole, each.told) for group, each in directory.memberships.items()}
    return principals, memberships, directory.left_out


def problems(paths: list[Path]) -> list[str]:
    with pytest.raises(BadFile) as refused:
        read_directory(paths)
    return list(refused.value.problems)


# What is read


def test_users_groups_and_service_principals_are_told_apart_by_the_context(write: Write) -> None:
    directory = read_directory(
        write(
            page(user(1, userType="guest"), of="users(displayName,userPrincipalName,userType)"),
            groups(delta(2, member(1), member(3, "servicePrincipal"), member(4, "group"))),
            page(named(3, appId=key(9)), of="servicePrincipals"),
        )
    )

    assert list(directory.principals.values()) == [
        PrincipalRecord(
            directory.principals[key(1)].place,
            key(1),
            PrincipalKind.USER,
            "User 1",
            "user-1@partner.example",
            UserType.GUEST,
        ),
        PrincipalRecord(directory.principals[key(2)].place, key(2), PrincipalKind.GROUP, "Object 2"),
        PrincipalRecord(directory.principals[key(3)].place, key(3), PrincipalKind.APPLICATION, "Object 3"),
    ]
    told = {key(1): True, key(3): True, key(4): True}
    assert directory.memberships == {key(2): Membership(directory.principals[key(2)].place, is_whole=False, told=told)}
    assert str(directory.principals[key(1)].place) == 'page-1.json: entry 1 ("User 1")'


@pytest.mark.parametrize(
    "context",
    [
        f"{CONTEXT}users",
        f"{CONTEXT}users/$delta",
        f"{CONTEXT}users(displayName,userType)/$delta",
        "https://graph.microsoft.us/beta/$metadata#users(id)",
    ],
)
def test_a_list_is_known_whatever_was_selected_of_it(context: str, write: Write) -> None:
    assert list(read_directory(write(page(user(1)) | {"@odata.context": context})).principals) == [key(1)]


@pytest.mark.parametrize(
    "context",
    [
        None,
        "users",
        f"{CONTEXT}users/$entity",
        f"{CONTEXT}directoryObjects",
        f"{CONTEXT}devices",
        f"{CONTEXT}Users",
        f"{CONTEXT}places/microsoft.graph.room",
        f"{CONTEXT}groups('1')/users",
    ],
)
def test_a_page_of_something_else_is_refused(context: object, write: Write) -> None:
    [only] = problems(write(page(user(1)) | {"@odata.context": context}))

    assert only.startswith("page-1.json: @odata.context: expected one of …#users, …#groups, …#servicePrincipals, got ")


@pytest.mark.parametrize(
    "content, expected",
    [
        (json.dumps(page(user(1))).encode()[:-9], "expected JSON, got something else at line 1, column "),
        (b"\xff", "expected UTF-8, got something else at byte 1"),
        (b"[]", "expected an object with a list `value`, got a list of 0"),
        (page(user(1)) | {"@odata.context": 7}, "@odata.context: expected text of at most "),
    ],
)
def test_a_file_that_is_no_page_is_not_also_said_to_be_one_of_something_else(
    content: object, expected: str, write: Write
) -> None:
    [only] = problems(write(content))

    assert only.startswith(f"page-1.json: {expected}")


def test_what_is_missing_is_not_said_and_null_is(write: Write) -> None:
    missing, nothing = {"id": key(1)}, user(2, userPrincipalName=None, userType=None)

    one, two = read_directory(write(page(missing, nothing))).principals.values()

    assert (one.name, one.user_principal_name, one.user_type) == (UNSAID, UNSAID, UNSAID)
    assert (two.name, two.user_principal_name, two.user_type) == ("User 2", None, None)


def test_of_what_is_removed_only_the_id_counts(write: Write) -> None:
    entries = gone(1) | {"displayName": 7}, {"id": key(2), "@removed": {}}

    found = read_directory(write(page(*entries), groups(delta(3, member(4), **REMOVED)))).principals.values()

    assert [(each.id, each.name, each.is_removed) for each in found] == [(key(n), UNSAID, True) for n in (1, 2, 3)]


def test_a_removed_group_says_nothing_of_its_members(write: Write) -> None:
    assert read_directory(write(groups(delta(3, member(4), **REMOVED)))).memberships == {}


def test_an_id_is_the_same_in_any_case(write: Write) -> None:
    shouted = "ABCDEF01-0000-0000-0000-00000000000A"
    entry, inside = user(1, id=f" {shouted} "), member(2, id=shouted)

    directory = read_directory(write(page(entry), page(user(1, id=shouted.lower())), groups(delta(2, inside))))

    assert list(directory.principals) == [shouted.lower(), key(2)]
    assert directory.memberships[key(2)].told == {shouted.lower(): True}


@pytest.mark.parametrize("name", ["Ώρα", "名前", "اسم", "Å" * 256, "a\N{ZERO WIDTH JOINER}b", "🏢"])
def test_names_are_kept_in_every_alphabet(name: str, write: Write) -> None:
    assert read_directory(write(page(user(1, displayName=name)))).principals[key(1)].name == name


def test_members_that_are_something_else_are_counted(write: Write) -> None:
    others = member(5, "device"), member(6, "orgContact"), member(7, "somethingNew", **REMOVED)

    directory = read_directory(write(groups(delta(1, member(2), *others), named(3, members=[member(4, "device")]))))

    assert directory.left_out == 4
    assert {group: each.told for group, each in directory.memberships.items()} == {
        key(1): {key(2): True},
        key(3): {},
    }


def test_members_are_all_of_them_and_a_delta_what_changed(write: Write) -> None:
    pages = groups(
        named(1, members=[member(2)]),
        named(3, members=[]),
        delta(4, member(2), member(5, "user", **REMOVED)),
        named(6),
        named(7, members=None),
    )

    assert said(read_directory(write(pages)))[1] == {
        key(1): (True, {key(2): True}),
        key(3): (True, {}),
        key(4): (False, {key(2): True, key(5): False}),
    }


def test_a_page_is_read_alike_however_deep_it_is(write: Write) -> None:
    """Entries are cut out of a page by a pattern, unless they go deeper than it does."""
    deep = {"a": {"b": {"c": {"d": "}]"}}}}
    plain = groups(delta(1, member(2, "user", **REMOVED)), delta(3, member(4)))
    nested = groups(delta(1, member(2, "user", **REMOVED, **deep)), delta(3, member(4)))

    assert said(read_directory(write(plain))) == said(read_directory(write(nested)))


# One statement on many pages


def test_files_may_come_in_any_order(write: Write) -> None:
    pages = (
        page(user(1), user(2), gone(8)),
        groups(delta(3, member(1)), named(5, members=[member(1)])),
        groups(delta(3, member(2), member(9, "user", **REMOVED)), delta(4, member(3, "group"))),
        page(named(6), of="servicePrincipals"),
    )
    expected = said(read_directory(write(*pages)))

    for order in permutations(pages):
        assert said(read_directory(write(*order))) == expected


def test_the_same_again_is_the_same(write: Write) -> None:
    pages = page(user(1), gone(2)), groups(delta(3, member(1)), named(4, members=[member(1), member(2)]))

    assert said(read_directory(write(*pages, *pages))) == said(read_directory(write(*pages)))


def test_two_pages_may_each_say_a_part(write: Write) -> None:
    one, two = {"id": key(1), "displayName": "User 1"}, {"id": key(1), "userType": "Member"}

    for pages in ((one, two), (two, one)):
        record = read_directory(write(*map(page, pages))).principals[key(1)]
        assert (record.name, record.user_principal_name, record.user_type) == ("User 1", UNSAID, UserType.MEMBER)


@pytest.mark.parametrize(
    "pages, expected",
    [
        (
            (page(user(1)), page(user(1, displayName="Head"))),
            (
                'page-2.json: entry 1 ("Head"): displayName: expected "User 1" as in page-1.json: entry 1 ("User 1"), '
                'or an import of its own, got "Head"'
            ),
        ),
        (
            (page(user(1, userType=None)), page(user(1))),
            (
                'page-2.json: entry 1 ("User 1"): userType: expected nothing as in page-1.json: entry 1 ("User 1"), '
                'or an import of its own, got "Member"'
            ),
        ),
        (
            (page(user(1), user(1, userPrincipalName="u@x.example")),),
            (
                'page-1.json: entry 2 ("User 1"): userPrincipalName: expected "user-1@partner.example" as in '
                'page-1.json: entry 1 ("User 1"), or an import of its own, got "u@x.example"'
            ),
        ),
        (
            (page(gone(1)), page(user(1))),
            (
                f'page-2.json: entry 1 ("User 1"): @removed: expected true as in page-1.json: entry 1 ("{key(1)}"), '
                "or an import of its own, got false"
            ),
        ),
        (
            (page(user(1)), groups(named(1))),
            (
                'page-2.json: entry 1 ("Object 1"): id: expected another than that of a user in '
                f'page-1.json: entry 1 ("User 1"), got "{key(1)}"'
            ),
        ),
        (
            (groups(delta(1, member(2))), groups(delta(1, member(3), member(2, "user", **REMOVED)))),
            (
                'page-2.json: entry 1 ("Object 1"): members@delta: item 2: @removed: expected false as in '
                'page-1.json: entry 1 ("Object 1"), or an import of its own, got true'
            ),
        ),
        (
            (groups(delta(1, member(2))), groups(named(1, members=[member(2)]))),
            (
                'page-2.json: entry 1 ("Object 1"): members: expected `members@delta` as in '
                'page-1.json: entry 1 ("Object 1"), got a list of 1'
            ),
        ),
        (
            (groups(delta(1, member(2), members=[member(2)])),),
            (
                'page-1.json: entry 1 ("Object 1"): members@delta: expected `members` as in '
                'page-1.json: entry 1 ("Object 1"), got a list of 1'
            ),
        ),
        (
            (groups(named(1, members=[member(2)])), groups(named(1, members=[member(3)]))),
            (
                'page-2.json: entry 1 ("Object 1"): members: expected the same members as in '
                'page-1.json: entry 1 ("Object 1"), or an import of its own, got a list of 1'
            ),
        ),
    ],
)
def test_pages_that_disagree_are_named_with_both_places(pages: tuple[Any, ...], expected: str, write: Write) -> None:
    assert problems(write(*pages)) == [expected]


WRONG: dict[str, tuple[Any, Any]] = {
    "a name": (page(user(1, displayName=5)), page(user(1))),
    "a type": (page(user(1, userType="boss")), page(user(1))),
    "a removal": (page(user(1, **{"@removed": 5})), page(user(1))),
    "a member's id": (groups(named(1, members=[member(2, id="x")])), groups(named(1, members=[member(2)]))),
    "a member's removal": (groups(delta(1, member(2, **{"@removed": 5}))), groups(delta(1, member(2)))),
    "members": (groups(named(1, members="all")), groups(named(1, members=[member(2)]))),
    "members that are cut": (groups(named(1, members=[member(n) for n in range(CUT)])), groups(named(1, members=[]))),
    "the page": (b"[", page(user(1))),
}
"""By what is wrong: a page where it is, and one that says it well."""


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("order", [1, -1])
def test_what_is_wrong_on_one_page_is_not_told_again_beside_a_good_one(wrong: str, order: int, write: Write) -> None:
    told = problems(write(*WRONG[wrong][::order]))

    assert len(told) == 1
    assert told[0].startswith(f"page-{1 if order == 1 else 2}.json: ")
    assert "as in" not in told[0]


def test_entries_without_ids_are_told_and_not_compared(write: Write) -> None:
    removed = member(2, id="x", **REMOVED)

    told = problems(write(groups(delta(1, member(2), id="a"), delta(2, member(2, "user", **REMOVED), id="b"))))
    of_members = problems(write(groups(delta(1, member(2, id="y"), removed))))

    assert [": id: expected an object id" in line for line in told] == [True, True]
    assert [": id: expected an object id" in line for line in of_members] == [True, True]


# What is refused


@pytest.mark.parametrize(
    "entry, expected",
    [
        ({"id": None}, f"{OBJECT_ID}, got nothing"),
        ({"id": 7}, f"{OBJECT_ID}, got 7"),
        ({"id": "1"}, f'{OBJECT_ID}, got "1"'),
        ({"id": "{" + key(1) + "}"}, f"{OBJECT_ID}, got "),
        ({"id": key(1).replace("-", "")}, f"{OBJECT_ID}, got "),
        ({"id": "٠" * 8 + key(1)[8:]}, f"{OBJECT_ID}, got "),
        ({"id": key(1) + "\n\x00"}, f"{OBJECT_ID}, got "),
        ({"displayName": None}, "displayName: expected text, got nothing"),
        ({"displayName": "  "}, 'displayName: expected text, got "  "'),
        ({"displayName": "a" * 257}, f'displayName: expected {TEXT}, got "aaa'),
        ({"displayName": "a\x1b[31mb"}, f'displayName: expected {TEXT}, got "a\\u001b[31mb"'),
        ({"userPrincipalName": ["x"]}, f"userPrincipalName: expected {TEXT}, got a list of 1"),
        ({"userType": "Admin"}, 'userType: expected one of member, guest, got "Admin"'),
        ({"userType": True}, f"userType: expected {TEXT}, got true"),
        ({"@removed": "yes"}, '@removed: expected an object, got "yes"'),
        ({"@odata.type": "#microsoft.graph.group"}, "@odata.type: expected microsoft.graph.user, got"),
    ],
)
def test_a_wrong_field_of_a_user_is_named(entry: dict[str, Any], expected: str, write: Write) -> None:
    found = problems(write(page(user(1, **entry))))

    assert len(found) == 1
    assert found[0].startswith("page-1.json: entry 1")
    assert expected in found[0]
    assert found[0].isprintable()


@pytest.mark.parametrize(
    "entry, expected",
    [
        ({"members@delta": {}}, "members@delta: expected a list of objects, got an object"),
        ({"members@delta": [7]}, "members@delta: item 1: expected an object, got 7"),
        ({"members@delta": [member(2), {"id": key(3)}]}, "members@delta: item 2: @odata.type: expected text, got"),
        ({"members@delta": [member(2, id="x")]}, f'members@delta: item 1: {OBJECT_ID}, got "x"'),
        ({"members@delta": [{**member(2), "@removed": 1}]}, "members@delta: item 1: @removed: expected an object"),
        ({"members": "all"}, 'members: expected a list of objects, got "all"'),
        ({"members": [member(n) for n in range(CUT)]}, "members: expected fewer than 20, where Graph cuts (`/groups/"),
        ({"members": [], "members@odata.nextLink": "https://graph.example"}, "members: expected fewer than 20, where"),
        ({"@odata.type": "#microsoft.graph.user"}, "@odata.type: expected microsoft.graph.group, got"),
    ],
)
def test_a_wrong_field_of_a_group_is_named(entry: dict[str, Any], expected: str, write: Write) -> None:
    found = problems(write(groups(named(1, **entry))))

    assert len(found) == 1
    assert found[0].startswith(f'page-1.json: entry 1 ("Object 1"): {expected}')


def test_nineteen_expanded_members_and_any_number_in_a_delta_are_read(write: Write) -> None:
    whole = named(1, members=[member(number) for number in range(CUT - 1)])
    directory = read_directory(write(groups(whole, delta(2, *map(member, range(500))))))

    assert [len(each.told) for each in directory.memberships.values()] == [19, 500]


def test_progress_is_told_after_each_file(write: Write) -> None:
    told: list[Page] = []

    directory = read_directory(write(page(user(1), user(2)), groups(named(3))), told.append)

    assert told == directory.pages
    assert [(each.file, each.entries) for each in told] == [("page-1.json", 2), ("page-2.json", 1)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "@removed", "@odata.type", "x"]), inner),
    max_leaves=6,
)
FIELDS = ["id", "displayName", "userType", "@removed", "@odata.type", "members", "members@delta"]


@given(st.dictionaries(st.sampled_from(FIELDS), json_values), st.sampled_from(list(TYPES)))
def test_whatever_an_entry_holds_it_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, Any], of: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "page.json"
    path.write_text(json.dumps(page(user(1, **fields), of=of)))

    found = attempt(path)

    named = found.problems if isinstance(found, BadFile) else ()
    assert all(line.startswith("page.json: ") and ": expected " in line for line in named)
    assert "".join(named).isprintable()


def attempt(path: Path) -> Directory | BadFile:
    try:
        return read_directory([path])
    except BadFile as refused:
        return refused
