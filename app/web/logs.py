"""Logs as one JSON object a line. They hold ids, codes and places, never tokens, variables or document text."""

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from app.domain.moments import print_instant
from app.execution.answers import log_defect, places_of

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
"""What every record has; everything else was passed as `extra`."""
OURS = ("app", "gateway", "uvicorn")
"""Loggers that may be as talkative as is asked for. Others write statements, rows and addresses below WARNING."""

IN_ASCII = json.JSONEncoder(default=str)

log = logging.getLogger("gateway.stray")


class JsonLines(logging.StreamHandler[TextIO]):
    """Writes a record as one JSON object, in ASCII, so that nothing in it can end the line or fail to be written."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line at once."""
        try:
            self.stream.write(f"{self.format(record)}\n")
            self.stream.flush()
        except Exception:  # noqa: BLE001 - nobody who logs is told that it failed
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, logger, message and extras; of an exception its kind and places only."""
        line: dict[str, object] = {
            "time": print_instant(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line |= {"error": record.exc_info[0].__name__, "places": places_of(record.exc_info[2])}
        for name, value in vars(record).items():
            if name not in STANDARD:
                line[name] = value
        return IN_ASCII.encode(line)


def start_logging(level: str) -> None:
    """Write logs to standard error, one JSON object a line."""
    root = logging.getLogger()
    root.handlers[:] = [JsonLines(sys.stderr)]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)
    # No line says who wrote it in which thread or task, so nobody has to find out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - the way that its documentation names


def log_stray(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What failed with nobody waiting for it: kind and places, as of every defect."""
    if error := context.get("exception"):
        log_defect(error, None)
    else:
        log.error(str(context["message"]))
