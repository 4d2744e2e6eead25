"""Settings, read once from the environment; a `GATEWAY_` variable that is not one of them is refused."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PositiveInt, SecretBytes, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

PREFIX = "GATEWAY_"
DEFAULT_PAGE_SIZE = 50
"""What a connection answers with when neither `first` nor `last` is given."""


NESTED = "__"
"""Between the name of a group of settings and that of one in it: `GATEWAY_LIMITS__MAX_DEPTH`."""
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
"""As browsers send it: no path, no slash at the end, lower case. Never `*` or `null`, which many can be."""


class Limits(BaseModel, frozen=True, extra="forbid"):
    """What one document may ask for, checked before it is validated. Each is a count."""

    max_tokens: PositiveInt = 4_000
    max_depth: PositiveInt = 15
    max_aliases: PositiveInt = 50
    max_repeats: PositiveInt = 50
    max_root_fields: PositiveInt = 20
    max_directives: PositiveInt = 50
    max_nodes: PositiveInt = 100_000
    max_page_size: PositiveInt = 100
    max_body_bytes: PositiveInt = 64 * 1024
    max_body_depth: PositiveInt = 20
    timeout_seconds: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    """For one request, from its headers to its answer."""


class PublishedTerms(BaseModel, frozen=True, extra="forbid"):
    """What customers agree to when they invite a partner."""

    version: str = Field(min_length=1, max_length=64)
    text: str = Field(min_length=1)
    url: str | None = None


class Settings(BaseSettings):
    """Everything an operator can set. Raises `SettingsRefused` through `read_settings`, naming each variable."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_nested_delimiter=NESTED)

    state_dir: Path = Path(".gateway")
    """Where the embedded database and the demo's keys lie; made with mode 0700."""
    database_url: str | None = None
    """`postgresql://…` for production; absent, an SQLite file in `state_dir`."""
    database_pool_size: int = Field(default=10, ge=1, le=100)
    database_connect_timeout_seconds: float = Field(default=5.0, gt=0, allow_inf_nan=False)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    token_issuer: str | None = None
    """Issuer with `{tid}` where the token's own tenant belongs."""
    token_audience: str | None = None
    token_scope: str = "access_as_user"
    """The delegated permission that a user's token must carry in `scp`."""
    token_keys_url: str | None = None
    """Where the issuer publishes its keys (JWKS)."""

    explorer: bool | None = None
    """Whether the page to look through is served at `/explorer/`; absent, in the demo only."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Exact origins of browser clients, separated by commas."""
    terms: PublishedTerms | None = None
    """Without them nobody can invite."""
    secret: SecretBytes | None = Field(default=None, min_length=32)
    """Seals confirmations, so that all servers accept them; absent, each server accepts its own until it stops."""
    approval_days: int = Field(default=30, ge=1, le=365)
    """Days that a customer has to decide about a held change (domain.md 7 #15)."""
    audit_signing_key: Path | None = None
    """An Ed25519 private key (PEM), as `gateway audit key FILE` makes it, that signs where each record ends."""
    audit_heads_dir: Path | None = None
    """Where what it signed is kept: best where whoever can write to the database cannot."""
    limits: Limits = Limits()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _check(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [origin for origin in origins if not ORIGIN.fullmatch(origin)]:
            raise ValueError(f"{', '.join(wrong)} is not exactly `https://host` or `https://host:port`")
        return origins

    @property
    def database(self) -> str:
        """The database's address, the embedded one where none is set."""
        return self.database_url or f"sqlite:///{self.state_dir / 'gateway.db'}"


class SettingsRefused(Exception):
    """The environment says something that is not a setting, or not a valid one. The message is fit for an operator."""


def read_settings(**overrides: object) -> Settings:
    """The settings of this environment. Raises `SettingsRefused` naming every variable that is wrong or unknown."""
    known = set(names())
    unknown = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise SettingsRefused(f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as refused:
        wrong = refused.errors(include_url=False, include_input=False)
    except SettingsError:
        raise SettingsRefused(f"{PREFIX}LIMITS: not a JSON object") from None
    # Outside of the block: the error holds the values, which may be secret.
    lines = (f"{PREFIX}{NESTED.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in wrong)
    raise SettingsRefused("; ".join(lines))


def environment_without_settings() -> dict[str, str]:
    """The environment without settings of the gateway, for a process that is told them otherwise."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}


def names() -> Iterator[str]:
    """Every variable that is a setting."""
    for name, field in Settings.model_fields.items():
        yield (variable := PREFIX + name.upper())
        for group in (Limits, PublishedTerms):
            if field.annotation in (group, group | None):
                yield from (f"{variable}{NESTED}{each.upper()}" for each in group.model_fields)
