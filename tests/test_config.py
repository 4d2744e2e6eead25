"""Settings come from the environment, once; what is wrong in it is refused by name."""

import ast
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

import app
from app.config import Limits, PublishedTerms, Settings, SettingsRefused, read_settings

SECRET = "hunter2-correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("GATEWAY_")]:
        monkeypatch.delenv(name)


def with_environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"GATEWAY_{name}", value)


def test_without_any_the_gateway_is_for_this_machine_alone() -> None:
    settings = read_settings()

    assert (settings.host, settings.port, settings.database) == ("127.0.0.1", 8000, "sqlite:///.gateway/gateway.db")
    assert (settings.token_issuer, settings.token_audience, settings.token_keys_url) == (None, None, None)
    assert (settings.cors_origins, settings.terms, settings.secret) == ((), None, None)
    assert (settings.audit_signing_key, settings.audit_heads_dir) == (None, None)
    assert settings.approval_days == 30
    assert settings.limits == Limits()


def test_the_limits_are_those_that_are_promised() -> None:
    assert Limits().model_dump() == {
        "max_tokens": 4_000,
        "max_depth": 15,
        "max_aliases": 50,
        "max_repeats": 50,
        "max_root_fields": 20,
        "max_directives": 50,
        "max_nodes": 100_000,
        "max_page_size": 100,
        "max_body_bytes": 65_536,
        "max_body_depth": 20,
        "timeout_seconds": 30.0,
    }


def test_each_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(
        monkeypatch,
        STATE_DIR="somewhere",
        DATABASE_URL="postgresql://localhost/gateway",
        DATABASE_POOL_SIZE="7",
        HOST="0.0.0.0",
        PORT="0",
        TOKEN_ISSUER="https://login.example/{tid}/v2.0",
        CORS_ORIGINS="https://portal.example, http://localhost:5173,,http://[::1]:3000",
        AUDIT_SIGNING_KEY="keys/audit.pem",
        AUDIT_HEADS_DIR="/mnt/heads",
        APPROVAL_DAYS="7",
        LOG_LEVEL="DEBUG",
    )

    settings = read_settings()

    assert settings.state_dir == Path("somewhere")
    assert settings.database == "postgresql://localhost/gateway"
    assert (settings.database_pool_size, settings.host, settings.port) == (7, "0.0.0.0", 0)
    assert settings.token_issuer == "https://login.example/{tid}/v2.0"
    assert settings.cors_origins == ("https://portal.example", "http://localhost:5173", "http://[::1]:3000")
    assert (settings.audit_signing_key, settings.audit_heads_dir) == (Path("keys/audit.pem"), Path("/mnt/heads"))
    assert (settings.approval_days, settings.log_level) == (7, "DEBUG")


def test_a_limit_is_set_by_its_own_variable_and_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, LIMITS__MAX_DEPTH="9", limits__timeout_seconds="0.5")

    assert read_settings().limits == Limits(max_depth=9, timeout_seconds=0.5)


def test_terms_are_published_by_variables_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, TERMS__VERSION="2026-11", TERMS__TEXT="Until either side ends it.")
    assert read_settings().terms == PublishedTerms(version="2026-11", text="Until either side ends it.")

    with_environment(monkeypatch, TERMS__URL="https://portal.example/terms")
    assert (published := read_settings().terms) is not None
    assert published.url == "https://portal.example/terms"


def test_terms_without_words_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, TERMS__VERSION="2026-11")

    with pytest.raises(SettingsRefused, match=r"^GATEWAY_TERMS__TEXT: Field required$"):
        read_settings()


def test_the_secret_is_kept_out_of_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, SECRET=SECRET)

    settings = read_settings()

    assert settings.secret is not None
    assert settings.secret.get_secret_value() == SECRET.encode()
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()}"


@pytest.mark.parametrize("secret", ["", "x" * 31])
def test_a_secret_has_32_bytes_or_more(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can be guessed, or is empty by mistake, is refused, and not told."""
    with_environment(monkeypatch, SECRET=secret)

    with pytest.raises(SettingsRefused, match="GATEWAY_SECRET") as refused:
        read_settings()

    assert "xxx" not in str(refused.value)
    with_environment(monkeypatch, SECRET="x" * 32)
    assert read_settings().secret is not None


def test_what_is_given_on_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, PORT="8001", HOST="0.0.0.0")

    settings = read_settings(port=8002)

    assert (settings.host, settings.port) == ("0.0.0.0", 8002)


def test_they_are_read_once_and_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    with_environment(monkeypatch, PORT="1", LIMITS__MAX_DEPTH="1")

    assert (settings.port, settings.limits.max_depth) == (8000, 15)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.limits.max_depth = 1  # type: ignore[misc]


def test_nothing_else_reads_the_environment() -> None:
    folder = Path(str(app.__file__)).parent
    readers = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute | ast.Name | ast.alias)
        and getattr(node, "attr", getattr(node, "id", getattr(node, "name", ""))) in {"environ", "environb", "getenv"}
    }

    assert readers == {"config.py"}


@pytest.mark.parametrize(
    "name",
    ["PROT", "LIMITS__MAX_DEPHT", "LIMITS__MAX__DEPTH", "HOST__NAME", "LIMITS_MAX_DEPTH", "DATABASE", "", "prot"],
)
def test_a_variable_that_is_no_setting_is_refused_with_those_that_are(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_environment(monkeypatch, **{name: SECRET})

    with pytest.raises(SettingsRefused) as refused:
        read_settings()

    wrong, _, accepted = str(refused.value).partition("; known are ")
    assert wrong == f"unknown setting GATEWAY_{name}"
    assert {f"GATEWAY_{field.upper()}" for field in Settings.model_fields} <= {*accepted.split(", ")}
    assert {"GATEWAY_LIMITS__MAX_DEPTH", "GATEWAY_TERMS__VERSION"} <= {*accepted.split(", ")}
    assert SECRET not in str(refused.value)


def test_every_unknown_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, PROT="1", HOTS="x", PORT="1")

    with pytest.raises(SettingsRefused, match="unknown setting GATEWAY_HOTS, GATEWAY_PROT; "):
        read_settings()


WRONG = {
    "PORT": ["many", "-1", "65536", "", "8000.5"],
    "DATABASE_POOL_SIZE": ["0", "101", "ten"],
    "DATABASE_CONNECT_TIMEOUT_SECONDS": ["0", "-1", "soon", "inf", "nan"],
    "APPROVAL_DAYS": ["0", "366", "2.5", "a week"],
    "LOG_LEVEL": ["debug", "LOUD", "", "10"],
    "LIMITS__MAX_DEPTH": ["0", "-1", "deep", "1.5", ""],
    "LIMITS__MAX_BODY_BYTES": ["0", "64K"],
    "LIMITS__TIMEOUT_SECONDS": ["0", "-1", "inf", "nan", "never"],
    "TERMS": ["soon", "[]", "1"],
    "TERMS__VERSION": ["", "v" * 65],
    "CORS_ORIGINS": [
        "*",
        "null",
        "portal.example",
        "https://portal.example/",
        "https://portal.example/app",
        "https://*.example",
        "https://Portal.example",
        "https://user@portal.example",
        "ftp://portal.example",
        "https://portal.example https://other.example",
        "https://portal.example,*",
    ],
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_environment(monkeypatch, **{name: value})

    with pytest.raises(SettingsRefused, match=rf"^GATEWAY_{name}: \S.*$"):
        read_settings()


def test_every_wrong_value_is_named_and_none_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, PORT=SECRET, LIMITS__MAX_DEPTH=SECRET, DATABASE_POOL_SIZE=SECRET)

    with pytest.raises(SettingsRefused) as refused:
        read_settings()

    named = {line.partition(":")[0] for line in str(refused.value).split("; ")}
    assert named == {"GATEWAY_PORT", "GATEWAY_LIMITS__MAX_DEPTH", "GATEWAY_DATABASE_POOL_SIZE"}
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def test_limits_as_one_variable_are_json_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, LIMITS='{"max_depth": 9}')
    assert read_settings().limits == Limits(max_depth=9)

    with_environment(monkeypatch, LIMITS='{"max_depht": 9}')
    with pytest.raises(SettingsRefused, match=r"^GATEWAY_LIMITS__MAX_DEPHT: "):
        read_settings()

    with_environment(monkeypatch, LIMITS="deep")
    with pytest.raises(SettingsRefused, match=r"^GATEWAY_LIMITS: "):
        read_settings()
