"""What happens to a partner's change: a customer chooses it for each kind (CC-1 to CC-5)."""

from collections.abc import Mapping

from app.domain.audit import Changes
from app.domain.permissions import Permission
from app.domain.vocabulary import ChangeEvent, ChangeMode


def mode_of(event: ChangeEvent, manual: Permission) -> ChangeMode:
    """What happens to this kind of change, by the set of those that are approved by hand."""
    return ChangeMode.MANUAL if event.value in manual else ChangeMode.AUTO


def with_modes(manual: Permission, modes: Mapping[ChangeEvent, ChangeMode]) -> Permission:
    """The set of what is approved by hand, with these modes chosen; what is not named stays."""
    for event, mode in modes.items():
        manual = manual | event.value if mode is ChangeMode.MANUAL else manual & ~event.value
    return manual


def overtaken(wanted: Changes, now: Mapping[str, str | None]) -> list[str]:
    """The fields that a held change would change and that no longer have the value they had (domain.md 7 #16)."""
    return [name for line in wanted if (name := str(line["field"])) in now and now[name] != line["before"]]
