"""The Primary admin assignment, which both sides share: the partner chooses who, the customer chooses what (#35, #38).

It is fixed otherwise: one assignment, with its name, that always has somebody (PA-1, PA-4, PA-7).
"""

from collections.abc import Iterable, Mapping

from pydantic.alias_generators import to_camel

from app.domain.permissions import Permission, Right, Standing
from app.domain.refusals import Refused, RefusedTogether, forbidden, forbidden_to
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import Partnership

ADDING = "The partner's primary admins, and who answers its invitations, add primary admins."
CHOOSING = "The partner's primary admins and its Managers do this."
DELEGATING = "Managers of the customer choose which rooms the partner reaches."
SCOPE = ("add_rooms", "remove_rooms", "add_groups", "remove_groups")
FIXED = ("name", "description")
WHO: Mapping[str, tuple[Right, ...]] = {
    "add_members": (Standing.PRIMARY_ADMIN, Standing.PARTNER_MANAGER, Standing.ADDRESSEE),
    "remove_members": (Standing.PRIMARY_ADMIN, Standing.PARTNER_MANAGER),
    "notify_by_email": (Standing.PRIMARY_ADMIN, Standing.PARTNER_MANAGER),
} | dict.fromkeys(SCOPE, (Permission.PARTNERS_MANAGE,))
"""By which rights on the partnership each field of the assignment is changed (TM-8, PA-5, ROOM-1, ROOM-2)."""


async def check_fields(work: Work, partnership: Partnership, fields: Iterable[str]) -> None:
    """Returns if the viewer may change all of these. Raises `RefusedTogether`."""
    problems = [refusal(field) for field in fields if not await may_change(work, partnership, field)]
    if problems:
        raise RefusedTogether(problems)


async def may_change(work: Work, partnership: Partnership, field: str) -> bool:
    """Whether the viewer is one of those who change this field."""
    for right in WHO[field]:
        if await work.find(Partnership, global_id(partnership), right) is not None:
            return True
    return False


def refusal(field: str) -> Refused:
    """Why the viewer may not change this field."""
    if field in SCOPE:
        return forbidden(Permission.PARTNERS_MANAGE, to_camel(field), message=DELEGATING)
    return forbidden_to(ADDING if field == "add_members" else CHOOSING, to_camel(field))
