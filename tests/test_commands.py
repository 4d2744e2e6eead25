"""The command line as somebody uses it who has never seen the project: commands, what they print, how they end."""

import asyncio
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx
import pytest

from app.__main__ import main
from app.commands.demo import DEMO_TERMS, with_terms
from app.config import PublishedTerms, Settings
from app.web.explorer import building
from app.web.explorer.serving import Explorer
from tests.conftest import Databases
from tests.serving import Server, free_port, serving, surroundings
from tests.world import WORLD_FILES

ROOMS = "{ viewer { rooms(first: 100) { totalCount { value } nodes { id displayName account } } } }"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def gateway(state: Path, *arguments: str, **environment: str | None) -> Ran:
    """Run a command to its end, as the shell would, in this process: starting another takes seconds."""
    out, err = StringIO(), StringIO()
    with (
        patch.dict(os.environ, surroundings(state, **environment), clear=True),
        patch.object(sys, "argv", ["gateway", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return Ran(int(ended.value.code or 0), out.getvalue(), err.getvalue())


def room_ids(server: Server, token: str) -> set[str]:
    return {room["id"] for room in server.ask(token, ROOMS)["viewer"]["rooms"]["nodes"]}


def test_the_demo_introduces_everybody_with_a_line_that_works_when_pasted(state: Path) -> None:
    with serving(state, "demo") as server:
        lines = server.output.read_text().splitlines()
        curls = [line.strip() for line in lines if line.strip().startswith("curl ")]
        answers = [json.loads(subprocess.check_output(shlex.split(line))) for line in curls]

    people = sum(len(world.get(kind, [])) for world in map(read, WORLD_FILES) for kind in ("people", "applications"))
    assert len(curls) == people > 20
    assert all("errors" not in answer for answer in answers)
    seen = {answer["data"]["viewer"]["rooms"]["totalCount"]["value"] for answer in answers}
    assert {0, 24} <= seen
    assert state.stat().st_mode & 0o777 == 0o700
    assert sum("token  " in line for line in lines) == people


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_the_demo_has_terms_to_agree_to_unless_others_are_set(state: Path) -> None:
    others = PublishedTerms(version="2027-01", text="Ours.")

    assert with_terms(Settings(state_dir=state)).terms == DEMO_TERMS
    assert with_terms(Settings(state_dir=state, terms=others)).terms == others


def test_a_second_demo_finds_its_database_and_fresh_starts_over(state: Path) -> None:
    with serving(state, "demo") as server:
        token = gateway(state, "token", "--as", "contoso-manager").stdout.strip()
        first = room_ids(server, token)
        refused = gateway(state, "demo", "--port", str(free_port()))

    with serving(state, "demo") as server:
        second = room_ids(server, token)
    with serving(state, "demo", "--fresh") as server:
        third = room_ids(server, token)

    assert len(first) == 24
    assert second == first
    assert len(third) == 24
    assert not third & first
    assert refused.returncode == 2
    assert "another server already serves" in refused.stderr


def test_tokens_are_for_stored_people_and_nobody_else(state: Path) -> None:
    gateway(state, "migrate")
    gateway(state, "tenants", "add", "--domain", "a.example", "--name", "A", "--manager", "manager")
    gateway(state, "tenants", "add", "--domain", "b.example", "--name", "B", "--manager", "manager")

    ambiguous = gateway(state, "token", "--as", "manager")
    chosen = gateway(state, "token", "--as", "manager", "--tenant", "b.example")
    nobody = gateway(state, "token", "--as", "stranger")

    assert ambiguous.returncode == nobody.returncode == 2
    assert "A, B" in ambiguous.stderr
    assert "nobody called stranger" in nobody.stderr
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", chosen.stdout)


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["serve"], {}, "GATEWAY_TOKEN_ISSUER, GATEWAY_TOKEN_AUDIENCE, GATEWAY_TOKEN_KEYS_URL"),
        (["serve", "--development-issuer", "--host", "0.0.0.0"], {}, "for this machine only"),
        (["serve", "--development-issuer"], {}, "run `gateway migrate`"),
        (["serve", "--development-issuer", "--explorer"], {}, "run `gateway explorer build`"),
        (["serve", "--development-issuer"], {"GATEWAY_EXPLORER": "true"}, "run `gateway explorer build`"),
        (["explorer", "build"], {"PATH": ""}, "npm is not here"),
        (["tenants", "add", "--domain", "a.example", "--name", "A"], {}, "run `gateway migrate`"),
        (["demo"], {"GATEWAY_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "unset GATEWAY_DATABASE_URL"),
        (["migrate"], {"GATEWAY_DATABASE_URL": "mysql://127.0.0.1/x"}, "`sqlite:///FILE` or `postgresql://…`"),
        (["migrate"], {"GATEWAY_PROT": "1"}, "unknown setting GATEWAY_PROT"),
        (["migrate"], {"GATEWAY_PORT": "many"}, "GATEWAY_PORT"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    state: Path, arguments: list[str], environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "BUNDLE", state / "nowhere")
    monkeypatch.setattr(building, "find_spec", lambda _: None)  # nor is the extra here

    refused = gateway(state, *arguments, **environment)

    assert refused.returncode == 2
    assert said in refused.stderr.replace("\n", "")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "setting", "has_page"),
    [
        (["serve", "--development-issuer"], None, False),
        (["serve", "--development-issuer"], "true", True),
        (["serve", "--development-issuer", "--explorer"], None, True),
        (["serve", "--development-issuer", "--no-explorer"], "true", False),
        (["demo"], None, True),
        (["demo"], "false", False),
        (["demo", "--no-explorer"], None, False),
    ],
)
def test_the_demo_has_the_explorer_and_serve_only_if_asked(
    state: Path, arguments: list[str], setting: str | None, has_page: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[Explorer | None] = []

    async def is_ready(_: Settings) -> None:
        """As if there were a database."""

    for command in ("serving", "demo"):
        monkeypatch.setattr(
            f"app.commands.{command}.listen", lambda *given, explorer=None: pages.append(explorer or given[-1])
        )
    monkeypatch.setattr("app.commands.serving.check_ready", is_ready)
    monkeypatch.setattr(building, "is_made", lambda _: True)

    assert gateway(state, *arguments, GATEWAY_EXPLORER=setting).returncode == 0
    [page] = pages
    assert isinstance(page, Explorer) == has_page
    assert (isinstance(page, Explorer) and page.people is not None) == (has_page and arguments[0] == "demo")


def test_a_database_that_does_not_answer_is_said_so(state: Path) -> None:
    silent = gateway(state, "migrate", GATEWAY_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")

    assert silent.returncode == 1
    assert "does not answer" in silent.stderr
    assert "Traceback" not in silent.stderr


def test_imported_rooms_are_read_by_their_manager_and_some_by_a_partner(state: Path, tmp_path: Path) -> None:
    pages = [graph_page(tmp_path / f"rooms-{n}.json", range(n * 30, n * 30 + 30), last=n == 1) for n in range(2)]
    delegated = [f"room-{n}@campus.example" for n in range(10, 35)]
    gateway(state, "migrate")
    gateway(state, "tenants", "add", "--domain", "campus.example", "--name", "Campus", "--manager", "manager")
    gateway(state, "tenants", "add", "--domain", "p.example", "--name", "P", "--partner", "--manager", "helper")
    arguments = ["--tenant", "campus.example", "--time-zone", "Australia/Sydney", "--enrolled", "--retire-missing"]

    first = gateway(state, "import", "rooms", *arguments, *pages)
    second = gateway(state, "import", "rooms", *arguments, *reversed(pages))
    partial = gateway(state, "import", "rooms", *arguments, pages[0])
    seeded = gateway(state, "seed", str(partnership_file(tmp_path / "partner.json", delegated)))
    with serving(state, "serve", "--development-issuer", **signing(state)) as server:
        managers = server.ask(gateway(state, "token", "--as", "manager").stdout.strip(), ROOMS)["viewer"]["rooms"]
        helpers = server.ask(gateway(state, "token", "--as", "helper").stdout.strip(), ROOMS)["viewer"]["rooms"]

    assert first.stdout == "60 rooms in 2 files: 60 created, 0 updated, 0 unchanged, 0 retired.\n"
    assert second.stdout == "60 rooms in 2 files: 0 created, 0 updated, 60 unchanged, 0 retired.\n"
    assert partial.returncode == 2
    assert "complete set" in partial.stderr
    assert seeded.stdout == "Loaded partnerships: 1.\n"
    assert managers["totalCount"]["value"] == 60
    assert sorted(room["account"] for room in helpers["nodes"]) == sorted(delegated)


def graph_page(path: Path, numbers: range, *, last: bool) -> str:
    """A page as Graph answers it, written to a file."""
    rooms = [{"id": f"g{n}", "emailAddress": f"room-{n}@campus.example", "displayName": f"Room {n}"} for n in numbers]
    next_link = {} if last else {"@odata.nextLink": f"https://graph.example/rooms?$top=30&$skip={numbers.stop}"}
    path.write_text(json.dumps({"value": rooms} | next_link))
    return str(path)


def partnership_file(path: Path, rooms: list[str]) -> Path:
    """A partnership of Campus and P over these rooms, in the format of fixtures/world."""
    partnership = {"customer": "campus.example", "partner": "p.example", "establishedAt": "-P1D", "rooms": rooms}
    path.write_text(json.dumps({"partnerships": [partnership | {"primaryAdmins": ["helper"]}]}))
    return path


DIRECTORY = "{ viewer { directory(first: 50) { nodes { __typename ... on User { displayName userPrincipalName } } } } }"


def test_an_imported_directory_is_seen_and_its_groups_give_rights(state: Path, tmp_path: Path) -> None:
    rooms = [graph_page(tmp_path / "rooms.json", range(3), last=True)]
    lead, deputy, office = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
    users = [person(lead, "help-desk-lead"), person(deputy, "deputy", "Guest")]
    teams = [group(office, "Back office", inside(deputy), inside("8" * 8 + lead[8:], "device"))]
    files = [saved(tmp_path / "users.json", "users", users), saved(tmp_path / "groups.json", "groups", teams)]
    gone = saved(tmp_path / "gone.json", "users/$delta", [{"id": deputy, "@removed": {"reason": "changed"}}])
    gateway(state, "migrate")
    gateway(state, "tenants", "add", "--domain", "campus.example", "--name", "Campus", "--manager", "manager")
    gateway(state, "tenants", "add", "--domain", "p.example", "--name", "P", "--partner", "--manager", f"lead={lead}")
    imported = gateway(state, "import", "rooms", "--tenant", "campus.example", *rooms)
    arguments = ["import", "directory", "--tenant", "p.example"]

    first = gateway(state, *arguments, *files)
    second = gateway(state, *arguments, *reversed(files))
    link: dict[str, Any] = {"customer": "campus.example", "partner": "p.example", "establishedAt": "-P1D"}
    link |= {"rooms": ["room-1@campus.example"], "primaryAdmins": ["Back office"]}
    (tmp_path / "partner.json").write_text(json.dumps({"partnerships": [link]}))
    gateway(state, "seed", str(tmp_path / "partner.json"))
    with serving(state, "serve", "--development-issuer", **signing(state)) as server:
        seen = server.ask(gateway(state, "token", "--as", "help-desk-lead").stdout.strip(), DIRECTORY)
        token = gateway(state, "token", "--as", "deputy").stdout.strip()
        before = server.ask(token, ROOMS)["viewer"]["rooms"]["totalCount"]["value"]
        left = gateway(state, *arguments, gone)
        refused = httpx.post(
            f"{server.url}/graphql", json={"query": ROOMS}, headers={"Authorization": f"Bearer {token}"}
        )

    assert imported.stdout == "3 rooms in 1 file: 3 created, 0 updated, 0 unchanged, 0 retired.\n"
    assert first.stdout.splitlines() == [
        "2 users, 1 group and 0 service principals in 2 files: 2 created, 1 updated, 0 unchanged, 0 removed.",
        "Members of groups: 1 added, 0 removed; in effect, groups in groups resolved, 1 gained and 0 lost.",
        "Left out: 1 member, neither user, group nor service principal.",
    ]
    assert second.stdout.splitlines()[0].endswith("0 created, 0 updated, 3 unchanged, 0 removed.")
    assert [node.get("displayName") for node in seen["viewer"]["directory"]["nodes"]] == [
        None,
        "deputy",
        "help-desk-lead",
    ]
    assert before == 1
    assert (left.returncode, refused.status_code) == (0, 401)
    assert "Nobody is left as Primary admin at Campus." in left.stderr


def test_a_bad_page_of_a_directory_is_named_and_nothing_is_written(state: Path, tmp_path: Path) -> None:
    good = saved(tmp_path / "good.json", "users", [person("00000000-0000-4000-8000-000000000001", "lead")])
    bad = saved(tmp_path / "bad.json", "users", [{"id": "1", "displayName": "Lead\x1b[31m[/red]"}])
    gateway(state, "migrate")
    gateway(state, "tenants", "add", "--domain", "p.example", "--name", "P")

    refused = gateway(state, "import", "directory", "--tenant", "p.example", good, bad)
    nobody = gateway(state, "token", "--as", "lead")

    assert (refused.returncode, refused.stdout, nobody.returncode) == (2, "", 2)
    assert 'bad.json: entry 1 ("Lead\\u001b[31m[/red]"): id: expected an object id such as' in refused.stderr
    assert "Traceback" not in refused.stderr


def saved(path: Path, of: str, entries: list[dict[str, Any]]) -> str:
    """A page of a directory as Graph answers it, written to a file."""
    path.write_text(json.dumps({"@odata.context": f"https://graph.example/v1.0/$metadata#{of}", "value": entries}))
    return str(path)


def person(identifier: str, name: str, kind: str = "Member") -> dict[str, Any]:
    return {"id": identifier, "displayName": name, "userPrincipalName": f"{name}@p.example", "userType": kind}


def group(identifier: str, name: str, *members: dict[str, Any]) -> dict[str, Any]:
    return {"id": identifier, "displayName": name, "members@delta": members}


def inside(identifier: str, kind: str = "user") -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": identifier}


# --- the record ------------------------------------------------------------------------------------------------------


def signing(state: Path) -> dict[str, str]:
    """The settings of a key that was made for this state, and of a folder for what it signs."""
    key = state.with_name("audit.pem")
    if not key.exists():
        gateway(state, "audit", "key", str(key))
    return {"GATEWAY_AUDIT_SIGNING_KEY": str(key), "GATEWAY_AUDIT_HEADS_DIR": str(state.with_name("heads"))}


def test_a_key_is_made_and_told_how_to_use(state: Path, tmp_path: Path) -> None:
    made = gateway(state, "audit", "key", str(tmp_path / "audit.pem"))
    again = gateway(state, "audit", "key", str(tmp_path / "audit.pem"))

    assert made.returncode == 0
    assert f"export GATEWAY_AUDIT_SIGNING_KEY={tmp_path / 'audit.pem'}" in made.stdout
    assert "BEGIN PUBLIC KEY" in made.stdout
    assert (tmp_path / "audit.pem").stat().st_mode & 0o777 == 0o600
    assert again.returncode == 2
    assert "File exists" in again.stderr


def test_serve_does_not_start_without_what_signs_the_record(state: Path, tmp_path: Path) -> None:
    gateway(state, "migrate")
    serve, settings = ["serve", "--development-issuer", "--port", str(free_port())], signing(state)
    closed = tmp_path / "closed"
    closed.write_text("a file, and no folder")

    without = gateway(state, *serve)
    no_folder = gateway(state, *serve, GATEWAY_AUDIT_SIGNING_KEY=settings["GATEWAY_AUDIT_SIGNING_KEY"])
    no_key = gateway(state, *serve, GATEWAY_AUDIT_HEADS_DIR=settings["GATEWAY_AUDIT_HEADS_DIR"])
    bad_key = gateway(state, *serve, **settings | {"GATEWAY_AUDIT_SIGNING_KEY": str(closed)})
    bad_folder = gateway(state, *serve, **settings | {"GATEWAY_AUDIT_HEADS_DIR": str(closed)})

    assert [ran.returncode for ran in (without, no_folder, no_key, bad_key, bad_folder)] == [2] * 5
    for ran in (without, no_key):
        assert "set GATEWAY_AUDIT_SIGNING_KEY and GATEWAY_AUDIT_HEADS_DIR" in ran.stderr
        assert "`gateway audit key FILE` makes a key" in ran.stderr
    assert "set GATEWAY_AUDIT_HEADS_DIR too" in no_folder.stderr
    assert "cannot be read as a private key" in bad_key.stderr
    assert "signed heads cannot be written" in bad_folder.stderr


def test_commands_sign_and_verify_ends_with_what_it_found(state: Path) -> None:
    settings = signing(state)
    add = ["tenants", "add", "--domain", "a.example", "--name", "A", "--manager", "manager"]
    gateway(state, "migrate", **settings)
    gateway(state, *add, **settings)

    whole = gateway(state, "audit", "verify", **settings)
    only = gateway(state, "audit", "verify", "--tenant", "a.example", **settings)
    nobodys = gateway(state, "audit", "verify", "--tenant", "b.example", **settings)
    unset = gateway(state, "audit", "verify")
    public = f"{settings.pop('GATEWAY_AUDIT_SIGNING_KEY')}.pub"
    by_another = gateway(state, "audit", "verify", "--key", public, **settings)
    tampered_with(state, "update audit_entries set object_name = 'nothing' where sequence = 2")
    tampered = gateway(state, "audit", "verify", "--key", public, **settings)

    assert (whole.returncode, only.returncode, by_another.returncode) == (0, 0, 0)
    assert re.fullmatch(r"A \([0-9a-f-]{36}\): 4 entries \(1 to 4\), 1 signed heads agree: whole\n", whole.stdout)
    assert only.stdout == by_another.stdout == whole.stdout
    assert (nobodys.returncode, unset.returncode) == (2, 2)
    assert tampered.returncode == 1
    assert "NOT AS IT WAS WRITTEN" in tampered.stdout
    assert "entry 2 was edited" in tampered.stdout


def tampered_with(state: Path, statement: str) -> None:
    """Change the database as somebody can who has its file."""
    with closing(sqlite3.connect(state / "gateway.db")) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f"drop trigger {name}")
        connection.execute(statement)
        connection.commit()


def test_tables_that_were_there_before_are_signed_by_migrate(state: Path) -> None:
    gateway(state, "migrate")
    gateway(state, "tenants", "add", "--domain", "a.example", "--name", "A")
    settings = signing(state)

    before = gateway(state, "audit", "verify", **settings)
    gateway(state, "migrate", **settings)
    after = gateway(state, "audit", "verify", **settings)

    assert (before.returncode, after.returncode) == (1, 0)
    assert "there are no signed heads" in before.stdout


def test_a_purge_says_what_it_would_do_and_what_it_must_not(state: Path) -> None:
    settings = signing(state)
    gateway(state, "migrate", **settings)
    gateway(state, "tenants", "add", "--domain", "a.example", "--name", "A", **settings)
    purge = ["audit", "purge", "--tenant", "a.example", "--before"]

    recent = gateway(state, *purge, "2999-01-01", "--yes", **settings)
    nothing = gateway(state, *purge, "2020-01-01", "--yes", **settings)
    unsigned = gateway(state, *purge, "2020-01-01", "--yes")
    no_day = gateway(state, *purge, "yesterday", **settings)
    tampered_with(state, "update audit_entries set object_name = 'nothing' where sequence = 2")
    tampered = gateway(state, *purge, "2020-01-01", "--yes", **settings)

    assert {ran.returncode for ran in (recent, nothing, unsigned, no_day, tampered)} == {2}
    assert "entries can be read for 180 days" in recent.stderr
    assert "nothing in the record of A is from before 2020-01-01" in nothing.stderr
    assert "`gateway audit key FILE` makes a key" in unsigned.stderr
    assert "this record has to be looked into first" in tampered.stderr


def test_roles_are_granted_in_postgresql_alone(state: Path) -> None:
    granted = gateway(state, "migrate", "--grant", "somebody")

    assert granted.returncode == 2
    assert "SQLite has no roles" in granted.stderr


def test_the_demos_record_is_exported_and_verified_without_any_setting(state: Path, tmp_path: Path) -> None:
    with serving(state, "demo") as server:
        headers = {"Authorization": f"Bearer {gateway(state, 'token', '--as', 'contoso-manager').stdout.strip()}"}
        (tmp_path / "audit.ndjson").write_bytes(httpx.get(f"{server.url}/audit.ndjson", headers=headers).content)
        verified = gateway(state, "audit", "verify")
    public = str(state / "audit-key.pem.pub")

    offline = gateway(state, "audit", "verify", str(tmp_path / "audit.ndjson"), "--key", public)
    keyless = gateway(state, "audit", "verify", str(tmp_path / "audit.ndjson"))

    assert verified.returncode == 0
    assert verified.stdout.count(": whole\n") == 5
    assert offline.returncode == 0
    assert keyless.returncode == 2
    assert "--key PUB" in keyless.stderr


async def test_serve_refuses_a_role_of_postgresql_that_could_rewrite_the_record(
    state: Path,
    migrated: dict[str, str],
    databases: Databases,
) -> None:
    settings, name = signing(state), f"serve-{uuid4().hex}"
    address = await databases.copy("postgresql", name, "template")
    serve = ["serve", "--development-issuer", "--port", str(free_port())]

    refused = await asyncio.to_thread(gateway, state, *serve, GATEWAY_DATABASE_URL=address, **settings)

    await databases.drop("postgresql", name)
    assert refused.returncode == 2
    assert "is a superuser and could rewrite the record; make a role for serving" in refused.stderr


def test_the_schema_is_printed_as_it_was_reviewed(state: Path) -> None:
    printed = gateway(state, "schema", "print").stdout

    assert printed == (Path(__file__).parents[1] / "schema.graphql").read_text()


# --- the schema ------------------------------------------------------------------------------------------------------

REVIEWED = Path(__file__).parents[1] / "schema.graphql"


def test_a_schema_is_checked_against_the_one_that_is_printed(state: Path, tmp_path: Path) -> None:
    printed = tmp_path / "printed.graphql"
    printed.write_text(gateway(state, "schema", "print").stdout)

    checked = gateway(state, "schema", "check", str(printed))

    assert (checked.returncode, checked.stdout) == (0, "0 breaking, 0 dangerous, 0 safe\n")
    assert printed.read_text() == REVIEWED.read_text()


OLDER = {
    "breaking": ("type ServiceInfo {", "type ServiceInfo {\n  gone: Int", "Field ServiceInfo.gone was removed."),
    "dangerous": ("union Principal = User |", "union Principal =", "User was added to union type Principal."),
    "safe": (
        "  allowed: Boolean!\n",
        "  allowed: Boolean\n",
        "Field AccessDecision.allowed changed type from Boolean to Boolean!.",
    ),
}


@pytest.mark.parametrize(
    "severity, fail_on, ended",
    [
        ("breaking", None, 1),
        ("dangerous", None, 0),
        ("dangerous", "dangerous", 1),
        ("safe", "dangerous", 0),
        ("safe", "safe", 1),
    ],
)
def test_a_check_ends_with_1_for_what_is_as_bad_as_said(
    severity: str, fail_on: str | None, ended: int, state: Path, tmp_path: Path
) -> None:
    now, before, told = OLDER[severity]
    older = tmp_path / "older.graphql"
    older.write_text(REVIEWED.read_text().replace(now, before, 1))

    checked = gateway(state, "schema", "check", str(older), *(["--fail-on", fail_on] if fail_on else []))

    assert checked.returncode == ended
    assert f"{severity.upper()}: 1, " in checked.stdout
    assert f"    - {told}\n" in checked.stdout


def test_descriptions_are_checked_if_asked(state: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.graphql"
    older.write_text(REVIEWED.read_text().replace("Who you are.", "You."))

    silent = gateway(state, "schema", "check", str(older))
    asked = gateway(state, "schema", "check", str(older), "--descriptions")

    assert silent.stdout == "0 breaking, 0 dangerous, 0 safe\n"
    assert asked.stdout.endswith("0 breaking, 0 dangerous, 1 safe\n")


def test_a_schema_is_checked_from_standard_input(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = tmp_path / "piped"
    piped.write_text("type Query {\n  a: [Int\n}")

    with piped.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        refused = gateway(state, "schema", "check", "-")

    assert refused.returncode == 2
    assert ":3:1: Syntax Error: Expected ']', found '}'." in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_bad_file_is_named_as_it_is_called(state: Path, tmp_path: Path) -> None:
    older = tmp_path / "[red] :100:.graphql"
    older.write_text("type Query { a: [int] }")

    refused = gateway(state, "schema", "check", str(older))
    missing = gateway(state, "schema", "check", str(tmp_path / "missing"))

    assert (refused.returncode, missing.returncode) == (2, 2)
    assert f"{older}:1:18: Unknown type 'int'." in refused.stderr
    assert "No such file" in missing.stderr
