"""Instants: read from the clock once, printed in one way (architecture rules 5 and 11)."""

from datetime import UTC, datetime

INSTANT_LENGTH = 27


def print_instant(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`, the one form of an instant in the database, in cursors and in answers.

    Raises ValueError for a datetime without a zone.
    """
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def minute_of(moment: datetime) -> datetime:
    """The beginning of the minute that the moment is in."""
    return moment.replace(second=0, microsecond=0)


def parse_instant(text: str) -> datetime:
    """The instant that `print_instant` printed."""
    return datetime.fromisoformat(text)
