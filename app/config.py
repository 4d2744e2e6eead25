"""Settings, read once from the environment; a `GATEWAY_` variable that is not one of them is refused."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "GATEWAY_"
DEFAULT_PAGE_SIZE = 50
"""What a connection answers with when neither `first` nor `last` is given."""


class Limits(BaseModel, frozen=True):
    """What one document may ask for, checked before it is validated. Each is a count."""

    max_tokens: int = 4_000
    max_depth: int = 15
    max_aliases: int = 50
    max_repeats: int = 50
    max_root_fields: int = 20
    max_directives: int = 50
    max_nodes: int = 100_000
    max_page_size: int = 100
    max_body_bytes: int = 64 * 1024
    max_body_depth: int = 20
    timeout_seconds: float = 30.0


class Settings(BaseSettings):
    """Everything an operator can set. Raises `SettingsRefused` through `read_settings`, naming each variable."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_nested_delimiter="__")

    state_dir: Path = Path(".gateway")
    """Where the embedded database and the demo's keys lie; made with mode 0700."""
    database_url: str | None = None
    """`postgresql://…` for production; absent, an SQLite file in `state_dir`."""
    database_pool_size: int = Field(default=10, ge=1, le=100)
    database_connect_timeout_seconds: float = Field(default=5.0, gt=0)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    token_issuer: str | None = None
    """Issuer with `{tid}` where the token's own tenant belongs."""
    token_audience: str | None = None
    token_scope: str = "access_as_user"
    """The delegated permission that a user's token must carry in `scp`."""
    token_keys_url: str | None = None
    """Where the issuer publishes its keys (JWKS)."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Exact origins of browser clients, separated by commas."""
    limits: Limits = Limits()
    log_level: str = "INFO"

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def database(self) -> str:
        """The database's address, the embedded one where none is set."""
        return self.database_url or f"sqlite:///{self.state_dir / 'gateway.db'}"


class SettingsRefused(Exception):
    """The environment says something that is not a setting, or not a valid one. The message is fit for an operator."""


def read_settings(**overrides: object) -> Settings:
    """The settings of this environment. Raises `SettingsRefused` naming every variable that is wrong or unknown."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper().split("__")[0] not in known
    )
    if unknown:
        accepted = ", ".join(sorted(known))
        raise SettingsRefused(f"unknown setting {', '.join(unknown)}; known are {accepted}")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as refused:
        lines = (f"{PREFIX}{'__'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in refused.errors())
        raise SettingsRefused("; ".join(lines)) from None
