"""Logs as one JSON object a line. They hold ids, codes and places, never tokens, variables or document text."""

import asyncio
import json
import logging
import select
import sys
import time
from collections import deque
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

WAITS_SECONDS = 0.1
"""How late a line may be written that every request logs: to write each by itself takes a tenth of a short request."""
PIECE_BYTES = getattr(select, "PIPE_BUF", 4_096)
"""What a pipe takes whole, where there is such a bound."""
MAX_WAITING = 1_000
"""Lines that wait together, some 500 bytes each."""

Line = tuple[float, str, str, str, dict[str, Any]]
"""Seconds since the epoch, level, logger, message and extras."""

log = logging.getLogger("gateway.stray")


class JsonLines(logging.StreamHandler[TextIO]):
    """Writes a record as one JSON object, in ASCII, so that nothing in it can end the line or fail to be written.

    Lines are written in the order in which they came, at the latest when the process ends. Only if it is killed, those
    are lost that could wait and came in its last `WAITS_SECONDS`.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: deque[Line] = deque()

    def emit(self, record: logging.LogRecord) -> None:
        """The record's time, level, logger, message and extras; of an exception its kind and places only."""
        extras = {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info and record.exc_info[0]:
            extras |= {"error": record.exc_info[0].__name__, "places": places_of(record.exc_info[2])}
        try:
            line = in_ascii((record.created, record.levelname, record.name, record.getMessage(), extras))
            self.flush()
            self._write(line)
        except Exception:  # noqa: BLE001 - nobody who logs is told that it failed
            self.handleError(record)

    def write_soon(self, line: Line) -> None:
        """Write a line of texts and numbers together with others, from within an event loop."""
        loop = asyncio.get_running_loop()
        self._waiting.append(line)
        if len(self._waiting) == 1:
            loop.call_later(WAITS_SECONDS, self.flush)
        elif len(self._waiting) >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait, as many at once as a pipe takes whole: other workers write to the same."""
        self.acquire()
        try:
            together = ""
            while self._waiting:
                line = in_ascii(self._waiting.popleft())
                if len(together) + len(line) > PIECE_BYTES:
                    self._write(together)
                    together = ""
                together += line
            self._write(together)
        finally:
            self.release()

    def _write(self, lines: str) -> None:
        with suppress(OSError, ValueError):  # there is no place for it any more, and nobody is told
            self.stream.write(lines)
            self.stream.flush()


def in_ascii(line: Line) -> str:
    """The line as JSON. Nearly every one is of texts and numbers that the faster writer takes, too."""
    seconds, level, logger, message, extras = line
    moment = print_instant(datetime.fromtimestamp(seconds, UTC))
    shown = {"time": moment, "level": level, "logger": logger, "message": message, **extras}
    with suppress(TypeError):
        if (written := orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)).isascii():
            return written.decode()
    return f"{WHATEVER_IT_IS.encode(shown)}\n"


def log_often(logger: logging.Logger, message: str, **extras: Any) -> None:
    """Log at INFO, from within an event loop, what every request logs.

    A record of logging's own would take most of the time, to say who called.
    """
    if not logger.isEnabledFor(logging.INFO):
        return
    match logging.root.handlers:
        case [JsonLines() as lines]:
            lines.write_soon((time.time(), "INFO", logger.name, message, extras))
        case _:
            logger.info(message, extra=extras)


def write_logs() -> None:
    """Write every line that waits."""
    for handler in logging.root.handlers:
        handler.flush()


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
