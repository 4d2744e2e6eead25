"""What is stored of a room beside what was said about it: the keys it is sorted, found and told apart by."""

from typing import TypedDict

from app.domain.text import name_key, search_key


class RoomKeys(TypedDict):
    """Columns that follow from other columns of a room."""

    name_key: str
    account_key: str
    search_key: str
    city_key: str | None
    building_key: str | None


def room_keys(
    *, name: str, account: str, label: str | None, nickname: str | None, building: str | None, city: str | None
) -> RoomKeys:
    """The keys of a room; whoever writes one of these columns writes all of them anew."""
    return RoomKeys(
        name_key=name_key(name),
        account_key=name_key(account),
        search_key=search_key((name, account, label, nickname, building, city)),
        city_key=name_key(city) if city else None,
        building_key=name_key(building) if building else None,
    )
