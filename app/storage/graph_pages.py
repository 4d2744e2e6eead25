"""Pages of objects as Microsoft Graph answers a list; whatever is wrong is named by file, entry and field."""

import codecs
import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import parse_qsl

import orjson

from app.domain.text import CONTROL
from app.storage.tables import NAME_LENGTH

Record = TypeVar("Record")
Word = TypeVar("Word", bound=Enum)

MAX_PROBLEMS = 20
"""Reading stops here: a file that is wrong throughout is wrong in one way."""
MAX_SHOWN = 60
"""Characters of a foreign text that a message repeats."""
MAX_ITEMS = 100
"""Texts in one list, which is stored in one column and always answered whole."""
MAX_LINK = 8_192
"""Longer addresses are refused nearly everywhere on the way."""
MAX_WHOLE = 2**31 - 1
"""Graph's whole numbers have 32 bits, as GraphQL's have."""

NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
"""JSON's spelling, and leading zeros: `float` alone takes `1_000`, `nan` and the digits of every alphabet."""

NO_PAGE = b'{"value":[]}'
"""What stands for a file whose problem is already noted."""
SPACE = r"[ \t\r\n]*"
STRING = r'"(?:[^"\\]++|\\.)*+"'
FLAT = rf'\{{(?:[^"{{}}]++|{STRING})*+\}}'
INNER = rf'\{{(?:[^"{{}}]++|{STRING}|{FLAT})*+\}}'
NESTED = rf'\{{(?:[^"{{}}]++|{STRING}|{INNER})*+\}}'
"""An object and two levels of objects in it, as a group with members that were removed; Graph's others go no deeper."""
SINGLE = rf'{SPACE}{STRING}{SPACE}:{SPACE}(?:{STRING}|[^"{{}}\[\],]++){SPACE},'
HEAD = re.compile(rf'(?:\xef\xbb\xbf)?{SPACE}\{{(?:{SINGLE})*{SPACE}"value"{SPACE}:{SPACE}\['.encode())
"""A page up to its first entry: a byte order mark or none, an object's single values, and the list `value`."""
ENTRY = re.compile(rf"{SPACE}({NESTED}){SPACE}(?:,(?={SPACE}\{{)|(?=\]))".encode())
"""An object in a list, with the comma after it if another object follows."""


class BadFile(Exception):
    """Files that cannot be imported. The message is for the operator: a line for each problem, naming where it is."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Problems:
    """What is wrong with the files read so far."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def __len__(self) -> int:
        """How many are noted."""
        return len(self._lines)

    def add(self, where: object, what: str) -> None:
        """Note a problem, once. Raises `BadFile` when there is no point in finding more."""
        line = f"{where}: {what}"
        if line in self._lines:
            return
        self._lines.append(line)
        if len(self._lines) == MAX_PROBLEMS:
            raise BadFile([*self._lines, f"there may be more: reading stopped after {MAX_PROBLEMS} problems"])

    def has(self, where: object) -> bool:
        """Whether anything is noted there."""
        return any(line.startswith(f"{where}: ") for line in self._lines)

    def settle(self) -> None:
        """Raises `BadFile` if there was any problem."""
        if self._lines:
            raise BadFile(self._lines)


@dataclass(frozen=True, slots=True)
class Page:
    """One file: how many entries it has, and what it says about those that it has not."""

    file: str
    entries: int
    next_link: str | None
    total: int | None
    """How long the whole list is, said where it was asked for with `$count`."""
    sha256: bytes
    context: str | None = None
    """What it is a page of, as the address of a description."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry is: counted from 1 within its file, and by its name if it has one."""

    file: str
    number: int
    name: object = None

    def __str__(self) -> str:
        name = f" ({quoted(self.name)})" if isinstance(self.name, str) else ""
        return f"{self.file}: entry {self.number}{name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An object of a page, or one inside it, whose fields are asked for by kind.

    Null, a blank text and a missing field all are None. A value of another kind is noted as a problem and is None, too,
    so that reading goes on and finds what else is wrong.
    """

    place: object
    fields: Mapping[str, object]
    problems: Problems
    path: str = ""

    def refuse(self, field: str, expected: str, value: object) -> None:
        """Note what was expected of this field, and what it is."""
        self.problems.add(self.place, f"{self.path}{field}: expected {expected}, got {shown(value)}")

    def check_type(self, expected: str) -> None:
        """Note an entry that says it is something else: another kind of thing may have the same fields."""
        kind = self.text("@odata.type")
        if kind is not None and kind.removeprefix("#") != expected:
            self.refuse("@odata.type", expected, kind)

    def text(self, field: str, longest: int = NAME_LENGTH) -> str | None:
        """Text, without its outer spaces."""
        return self._text(field, given(self.fields.get(field)), longest)

    def required(self, field: str) -> str:
        """Text that has to be there; empty where it is not."""
        if given(self.fields.get(field)) is None:
            self.refuse(field, "text", self.fields.get(field))
        return self.text(field) or ""

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of texts in their order, each once."""
        values = given(self.fields.get(field)) or []
        if not isinstance(values, list) or len(values) > MAX_ITEMS:
            self.refuse(field, f"a list of at most {MAX_ITEMS} texts", values)
            return ()
        items = (self._text(f"{field}: item {i}", given(value), NAME_LENGTH) for i, value in enumerate(values, 1))
        return tuple(dict.fromkeys(item for item in items if item is not None))

    def number(self, field: str, low: float, high: float, *, whole: bool = False) -> float | None:
        """A number within these bounds, written as one or as text."""
        value = given(self.fields.get(field))
        if value is None:
            return None
        number = to_number(value)
        if low <= number <= high and (number.is_integer() or not whole):
            return number
        self.refuse(field, f"a {'whole ' if whole else ''}number from {low} to {high}", value)
        return None

    def whole(self, field: str, low: int = 0, high: int = MAX_WHOLE) -> int | None:
        """A whole number within these bounds, written as one or as text."""
        number = self.number(field, low, high, whole=True)
        return None if number is None else int(number)

    def flag(self, field: str) -> bool | None:
        """True or false."""
        value = given(self.fields.get(field))
        if value is None or isinstance(value, bool):
            return value
        self.refuse(field, "true or false", value)
        return None

    def word(self, field: str, words: type[Word]) -> Word | None:
        """One of these words, in upper or lower case."""
        text = self.text(field)
        if text is None:
            return None
        if text.upper() in words.__members__:
            return words[text.upper()]
        self.refuse(field, f"one of {', '.join(words.__members__).lower()}", text)
        return None

    def inner(self, field: str) -> "Entry":
        """The object in this field; one without fields where there is none."""
        value = given(self.fields.get(field))
        if not isinstance(value, dict | None):
            self.refuse(field, "an object", value)
        return Entry(self.place, value if isinstance(value, dict) else {}, self.problems, f"{self.path}{field}.")

    def inners(self, field: str) -> "Iterator[Entry]":
        """The objects in this list, as many as there are."""
        values = given(self.fields.get(field))
        if not isinstance(values, list | None):
            self.refuse(field, "a list of objects", values)
            return
        for number, value in enumerate(values or (), 1):
            path = f"{self.path}{field}: item {number}: "
            if isinstance(value, dict):
                yield Entry(self.place, value, self.problems, path)
            else:
                self.problems.add(self.place, f"{path}expected an object, got {shown(value)}")

    def _text(self, field: str, value: object, longest: int) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and len(value) <= longest and not CONTROL.search(value):
            return value.strip()
        self.refuse(field, f"text of at most {longest} characters and no control characters", value)
        return None


@dataclass(frozen=True, slots=True)
class Reading(Generic[Record]):
    """What was read: pages in the order of the files, records in the order of the entries."""

    pages: list[Page]
    records: list[Record]


def read_pages(
    paths: Sequence[Path],
    read_entry: Callable[[Entry], Record],
    unique: Mapping[str, Callable[[Record], str]],
    on_progress: Callable[[Page], object],
) -> Reading[Record]:
    """All entries of these files as `read_entry` reads them. Each file is opened once, so it may be a pipe.

    `unique` says by field what no two records share. Raises `BadFile` with all problems, or the first `MAX_PROBLEMS`.
    """
    problems = Problems()
    reading: Reading[Record] = Reading([], [])
    seen: defaultdict[str, dict[str, object]] = defaultdict(dict)
    for page, entries in each_page(paths, problems):
        for entry in entries:
            record = read_entry(entry)
            for field, key_of in unique.items():
                refuse_repeated(entry, field, key_of(record), seen[field])
            reading.records.append(record)
        reading.pages.append(page)
        on_progress(page)
    problems.settle()
    return reading


def each_page(paths: Sequence[Path], problems: Problems) -> Iterator[tuple[Page, Iterator[Entry]]]:
    """The page in each file and its entries, of which only one is an object of Python's at a time."""
    for path, file in zip(paths, file_names(paths), strict=True):
        yield read_page(path, file, problems)


def read_page(path: Path, file: str, problems: Problems) -> tuple[Page, Iterator[Entry]]:
    """The page in this file and its entries; what is not a page is noted, and has none."""
    content = read_content(path, file, problems)
    shell, spans = cut(content)
    document = Entry(file, parse(shell, content, file, problems), problems)
    rest = document.fields.get("value")
    if not isinstance(rest, list):
        document.refuse("value", "a list", rest)
        rest = []
    link, total = document.text("@odata.nextLink", MAX_LINK), document.whole("@odata.count")
    context = document.text("@odata.context", MAX_LINK)
    page = Page(file, len(spans) + len(rest), link, total, hashlib.sha256(content).digest(), context)
    return page, take_entries(file, chain(parse_spans(content, spans, file, problems), rest), problems)


def read_content(path: Path, file: str, problems: Problems) -> bytes:
    """The file's bytes."""
    try:
        return path.read_bytes()
    except OSError as refused:
        problems.add(file, f"cannot be read: {refused.strerror}")
        return NO_PAGE


def cut(content: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """The page without its entries, and where these are, so that they can be parsed one after the other.

    A list of 100,000 rooms takes 300 MB as Python's objects. Only whole objects between commas are taken out; the rest
    stays, so if it and each of them are JSON, all of it was.
    """
    spans: list[tuple[int, int]] = []
    head = HEAD.match(content)
    if head is None:
        return content, spans
    end = head.end()
    while found := ENTRY.match(content, end):
        spans.append(found.span(1))
        end = found.end()
    return content[: head.end()] + content[end:], spans


def parse(shell: bytes, content: bytes, file: str, problems: Problems) -> dict[str, object]:
    """The object in this shell of a page; what is wrong is looked up in the content.

    Equal keys are not looked for: Graph writes none, and finding them takes a parser many times slower.
    """
    try:
        document = orjson.loads(shell.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError:
        problems.add(file, unparsed(content))
        document = orjson.loads(NO_PAGE)
    if isinstance(document, dict):
        return document
    problems.add(file, f"expected an object with a list `value`, got {shown(document)}")
    return {"value": []}


def parse_spans(content: bytes, spans: Iterable[tuple[int, int]], file: str, problems: Problems) -> Iterator[object]:
    """What lies in these parts of the content, as far as it is JSON."""
    try:
        for start, end in spans:
            yield orjson.loads(content[start:end])
    except orjson.JSONDecodeError:
        problems.add(file, unparsed(content))


def unparsed(content: bytes) -> str:
    """Why this content is not JSON."""
    why = "expected JSON"
    try:
        content.decode()
        orjson.loads(content.removeprefix(codecs.BOM_UTF8))
    except UnicodeDecodeError as refused:
        why = f"expected UTF-8, got something else at byte {refused.start + 1}"
    except orjson.JSONDecodeError as refused:
        why = f"expected JSON, got something else at line {refused.lineno}, column {refused.colno}"
    return why


def take_entries(file: str, values: Iterable[object], problems: Problems) -> Iterator[Entry]:
    """The values that are objects; the others are noted."""
    for number, fields in enumerate(values, 1):
        if isinstance(fields, dict):
            yield Entry(Place(file, number, fields.get("displayName") or fields.get("id")), fields, problems)
        else:
            problems.add(Place(file, number), f"expected an object, got {shown(fields)}")


def refuse_repeated(entry: Entry, field: str, key: str, seen: dict[str, object]) -> None:
    """Note a key that an earlier entry has, naming both places; a missing one is noted as such already."""
    first = seen.setdefault(key, entry.place)
    if key and first is not entry.place:
        entry.problems.add(entry.place, f"{field}: expected to be unique, got the same as {first}")


def check_complete(pages: Sequence[Page]) -> None:
    """Raises `BadFile` unless these are all pages of one list, so that what is on none of them is not on the list.

    Files come in any order. Only a link with `$skip` tells how many entries come before the next page, so the pages can
    be put in the order of their links, and each link has to agree with the entries counted up to it.
    """
    last = [page for page in pages if page.next_link is None]
    if len(last) != 1:
        raise incomplete(f"expected exactly one page without `@odata.nextLink`, got {len(last)}{named(last)}")
    skips = {read_skip(page): page for page in pages if page.next_link is not None}
    if len(skips) + 1 != len(pages):
        raise incomplete("expected different links, got two pages that go on at the same `$skip`")
    before = 0
    for skip, page in sorted(skips.items(), key=lambda item: item[0]):
        before += page.entries
        if before != skip:
            raise incomplete(f"{page.file} goes on at `$skip={skip}`, but it and the pages before it have {before}")
    check_totals(pages, before + last[0].entries)


def check_totals(pages: Iterable[Page], entries: int) -> None:
    """Raises `BadFile` if a page says that the list is longer or shorter than this."""
    for page in pages:
        if page.total not in (None, entries):
            raise incomplete(f"{page.file} says that there are {page.total} in all, the pages have {entries}")


def read_skip(page: Page) -> int:
    """How many entries come before the next page. Raises `BadFile` for a link from which that cannot be known."""
    options = parse_qsl((page.next_link or "").partition("?")[2])
    values = {name.lower().removeprefix("$"): value for name, value in options}
    left_out = values.keys() & {"filter", "search"}
    if left_out:
        raise incomplete(f"{page.file} goes on with `${min(left_out)}`, which leaves out a part of the list")
    if "skiptoken" in values or not re.fullmatch("[0-9]{1,9}", values.get("skip", "")):
        raise incomplete(
            f"{page.file} has a next link without a plain `$skip`, so nothing tells how many entries come before it"
        )
    return int(values["skip"])


def incomplete(why: str) -> BadFile:
    """The refusal of a set of pages that has gaps, or may have."""
    return BadFile([f"not a complete set of pages: {why}"])


def named(pages: Sequence[Page]) -> str:
    """The first few of these pages by name."""
    names = ", ".join(page.file for page in pages[:3])
    return f": {names}{', …' if len(pages) > 3 else ''}" if names else ""


def digest(pages: Iterable[Page]) -> str:
    """SHA-256 over what the files contained, the same in whatever order they were given."""
    return hashlib.sha256(b"".join(sorted(page.sha256 for page in pages))).hexdigest()


def file_names(paths: Sequence[Path]) -> list[str]:
    """Each file's base name, or its path as given where two files share the name."""
    names = Counter(path.name for path in paths)
    return [printable(path.name if names[path.name] == 1 else str(path)) for path in paths]


def given(value: object) -> object:
    """The value, or None if it is a blank text: Graph writes "" and null for the same."""
    return None if isinstance(value, str) and not value.strip() else value


def to_number(value: object) -> float:
    """The number, written as one or as text; for anything else NaN, which is within no bounds."""
    if isinstance(value, str):
        return float(value) if NUMBER.fullmatch(value.strip()) else math.nan
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def shown(value: object) -> str:
    """The value as a message repeats it: in JSON's words, and not all of it."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    if isinstance(value, str):
        return quoted(value)
    return "nothing" if value is None else orjson.dumps(value).decode()


def quoted(text: str) -> str:
    """The beginning of a foreign text in quotation marks."""
    return f'"{printable(text[:MAX_SHOWN])}{"…" if len(text) > MAX_SHOWN else ""}"'


def printable(text: str) -> str:
    """The text with escapes for what a terminal would act on instead of showing."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
