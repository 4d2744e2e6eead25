"""What an invitation may say, and how long it lasts."""

from datetime import datetime, timedelta

MIN_DAYS, MAX_DAYS = 1, 30
"""Whole days that an invitation can be answered (INV-3)."""


def expiry(sent_at: datetime, days: int) -> datetime:
    """The first instant at which an invitation can no longer be answered (domain.md 7 #6)."""
    return sent_at + timedelta(days=days)
