"""The keys of a principal: what it is sorted and searched by, made in one place for every way it is stored."""

from app.domain.text import name_key, search_key


def principal_keys(*, name: str, user_principal_name: str | None = None) -> dict[str, str]:
    """The key columns of a person, group or tool with this name and sign-in name."""
    return {"name_key": name_key(name), "search_key": search_key([name, user_principal_name])}
