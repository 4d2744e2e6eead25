"""Reading the files of a world; whatever is wrong is named by file, section, entry and field."""

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from app.storage.graph_pages import BadFile, file_names, shown
from app.storage.world_entries import World


def read_world(paths: Sequence[Path]) -> World:
    """What these files say together. Raises `BadFile`, naming for each problem file, section, entry and field."""
    world, problems = World(), list[str]()
    for path, file in zip(paths, file_names(paths), strict=True):
        try:
            part = read_file(path, file)
        except BadFile as bad:
            problems += bad.problems
            continue
        for section in World.model_fields:
            getattr(world, section).extend(getattr(part, section))
    if problems:
        raise BadFile(problems)
    return world


def read_file(path: Path, file: str) -> World:
    """What one file says, every entry knowing its place. Raises `BadFile`."""
    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        raw = orjson.loads(content)
        part = World.model_validate_json(content)
    except OSError as refused:
        raise BadFile([f"{file}: cannot be read: {refused.strerror}"]) from None
    except orjson.JSONDecodeError as refused:
        where = f"line {refused.lineno}, column {refused.colno}"
        raise BadFile([f"{file}: expected JSON in UTF-8, got something else at {where}"]) from None
    except ValidationError as refused:
        raise BadFile(describe(file, raw, error) for error in refused.errors(include_url=False)) from None
    for section, field in World.model_fields.items():
        for number, entry in enumerate(getattr(part, section)):
            entry._place = place(file, raw, (field.alias or section, number))  # noqa: SLF001
    return part


def describe(file: str, raw: Any, error: Any) -> str:
    """A problem of the format: where it is, what was expected and what is there."""
    where, fields = error["loc"][:2], ".".join(str(part) for part in error["loc"][2:])
    message = error["msg"].removeprefix("Value error, ")
    return f"{place(file, raw, where)}: {f'{fields}: ' if fields else ''}{message}, got {shown(error['input'])}"


def place(file: str, raw: Any, where: Sequence[Any]) -> str:
    """File, section, and the entry by its number from 1 and its name if it has one."""
    parts = [file, *map(str, where[:1])]
    if len(where) > 1 and isinstance(where[1], int):
        entry = raw[where[0]][where[1]]
        name = entry.get("name") or entry.get("partner") if isinstance(entry, dict) else None
        parts.append(f"entry {where[1] + 1}{f' ({shown(name)})' if isinstance(name, str) else ''}")
    return ": ".join(parts)
