"""How a bench fails."""

from app.domain.refusals import CommandRefused


class BenchFailed(CommandRefused):
    """The bench cannot go on. The message is fit for whoever runs it."""
