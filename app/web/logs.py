"""Logs as one JSON object a line. They hold ids, codes and places, never tokens, variables or document text."""

import asyncio
import json
import logging
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from app.domain.moments import print_instant
from app.execution.answers import log_defect, places_of

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
"""What every record has; everything else was passed as `extra`."""
OURS = ("app", "gateway", "uvicorn")
"""Loggers that may be as talkative as is asked for. Others write statements, rows and addresses below WARNING."""

WHATEVER_IT_IS = json.JSONEncoder(default=str)

log = logging.getLogger("gateway.stray")


class JsonLines(logging.StreamHandler[TextIO]):
    """Writes a record as one JSON object, in ASCII, so that nothing in it can end the line or fail to be written."""

    def emit(self, record: logging.LogRecord) -> None:
        """The record's time, level, logger, message and extras; of an exception its kind and places only."""
        extras = {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info and record.exc_info[0]:
            extras |= {"error": record.exc_info[0].__name__, "places": places_of(record.exc_info[2])}
        try:
            self.write(record.created, record.levelname, record.name, record.getMessage(), extras)
        except Exception:  # noqa: BLE001 - nobody who logs is told that it failed
            self.handleError(record)

    def write(self, seconds: float, level: str, logger: str, message: str, extras: dict[str, Any]) -> None:
        """Write a line at once."""
        moment = print_instant(datetime.fromtimestamp(seconds, UTC))
        line = {"time": moment, "level": level, "logger": logger, "message": message, **extras}
        self.stream.write(f"{in_ascii(line)}\n")
        self.stream.flush()


def in_ascii(line: dict[str, Any]) -> str:
    """The line as JSON. Nearly every one is of texts and numbers that the faster writer takes, too."""
    with suppress(TypeError):
        if (written := orjson.dumps(line)).isascii():
            return written.decode()
    return WHATEVER_IT_IS.encode(line)


def log_often(logger: logging.Logger, message: str, **extras: Any) -> None:
    """Log at INFO what every request logs. A record of logging's own would take most of the time, to say who called."""
    if not logger.isEnabledFor(logging.INFO):
        return
    match logging.root.handlers:
        case [JsonLines() as lines]:
            with suppress(OSError, ValueError):  # the stream is gone
                lines.write(time.time(), "INFO", logger.name, message, extras)
        case _:
            logger.info(message, extra=extras)


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
