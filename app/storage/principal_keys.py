"""The keys of a principal: what it is sorted and searched by, made in one place for every way it is stored."""

from typing import TypedDict

from app.domain.text import name_key, search_key


class PrincipalKeys(TypedDict):
    """Columns that follow from other columns of a principal."""

    name_key: str
    search_key: str


def principal_keys(*, name: str, user_principal_name: str | None = None) -> PrincipalKeys:
    """The key columns of a person, group or tool with this name and sign-in name."""
    return PrincipalKeys(name_key=name_key(name), search_key=search_key([name, user_principal_name]))
