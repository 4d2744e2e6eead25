"""Logs as one JSON object a line. They hold ids, codes and places, never tokens, variables or document text."""

import logging
import sys
from datetime import UTC, datetime

import orjson

from app.domain.moments import print_instant

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
"""What every record has; everything else was passed as `extra`."""


class JsonLines(logging.Formatter):
    """A record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, logger, message and extras."""
        extras = {name: value for name, value in vars(record).items() if name not in STANDARD}
        line = {
            "time": print_instant(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return orjson.dumps(line | extras, default=str).decode()


def start_logging(level: str) -> None:
    """Write logs to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "aiosqlite", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
