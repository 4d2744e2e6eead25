"""From what is asked to the one statement that answers it, as JSON.

Every level of a document is a named sub-select that starts with `visible`, or below visible rows with `named`, and
takes only the columns that are asked for: the rows of a page, those below all of them together, those that they name.
From the innermost outwards their texts are put together and joined to the rows that they belong to. So a statement is
as flat as it is long (SQLite's parser takes few things in each other), what many rows name is decided once, and no
table is named outside of the levels.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    table,
    tuple_,
    union_all,
)
from sqlalchemy.types import TypeEngine

from app.access.scoping import Rows, again
from app.access.viewer import VIEWER_PRINCIPAL, VIEWER_TENANT
from app.reading import selections as s
from app.reading.cursors import NULL as NO_SORT
from app.reading.cursors import Position, sorting
from app.reading.declaring import Expression, Many, Noun, Order
from app.reading.nouns import NODES, PRINCIPAL, PRINCIPAL_KINDS
from app.reading.pages import Listing, Window, children, children_of, inside, named_targets, outside
from app.reading.slots import ListAsked, PageAsked, Slot
from app.storage.columns import text
from app.storage.dialects import Elements, size_of, starts_with
from app.storage.global_ids import KIND_OF_PRINCIPAL
from app.storage.json_text import NULL as NO_VALUE
from app.storage.json_text import Hexed, Listed, Number, Piece, Quoted, boolean, chain, or_null, write

LEFT = '{"!":'
"""How a place begins that is finished afterwards; in JSON no text can hold it."""
MISSING = "\x1a"
"""Stands where something has to be and is not: the answer is then another's to make. It is the character for a
substitute, which JSON writes escaped wherever it means it; one character is looked for ten times as fast as a word.
"""
UUID_LENGTH = 36
NOTHING_LISTED, FALSE = "[]", "false"


@dataclass
class Level:
    """Rows at one place of the statement: their name, what is taken of them, and what is joined to them."""

    noun: Noun
    alias: str
    columns: dict[str, Expression] = field(default_factory=dict)
    looked_up: dict[str, Expression] = field(default_factory=dict)
    """What is looked up by the columns, for no more rows than there are in the end."""
    joins: list[tuple[FromClause, ColumnElement[bool]]] = field(default_factory=list)
    repeats: bool = False
    """Whether a row can be there several times, because it belongs to several rows above."""

    def take(self, name: str, expression: Expression, kind: TypeEngine[Any] | None = None) -> Expression:
        """The column under this name, for what is written from it."""
        self.columns[name] = expression.label(name)
        return self.column(name, kind)

    def column(self, name: str, kind: TypeEngine[Any] | None = None) -> Expression:
        """A column that the rows have."""
        return literal_column(f"{self.alias}.{name}", kind or text())

    @property
    def tenant(self) -> Expression:
        """The row's tenant."""
        return self.take("t", self.noun.tenant)

    @property
    def key(self) -> Expression:
        """The row's key within its tenant."""
        return self.take("k", self.noun.key)

    def plain(self, name: str, kind: TypeEngine[Any] | None = None) -> Expression:
        """A plain field as it is stored."""
        return self.take(f"p_{name}", self.noun.plain[name], kind)

    def look_up(self, name: str, expression: Expression) -> Expression:
        """The column under this name, made of others."""
        self.looked_up[name] = expression.label(name)
        return self.column(name)

    def whole(self, rows: Any) -> Any:
        """The rows with what is looked up for each."""
        if not self.looked_up:
            return rows
        return every_column(rows.subquery(self.alias)).add_columns(*self.looked_up.values())

    def source(self, rows: FromClause | None = None) -> FromClause:
        """The rows, or those of them that are given, with what is joined to them."""
        source = table(self.alias) if rows is None else rows
        for each, on in self.joins:
            source = source.outerjoin(each, on)
        return source

    def join(self, joined: "Joined", tenant: Expression, key: Expression) -> None:
        """Join what belongs to the row with this key."""
        self.joins.append((table(joined.alias), and_(joined.column("t") == tenant, joined.column("k") == key)))


@dataclass(frozen=True)
class Joined:
    """A named sub-select with a row for each (t, k) that there is something for."""

    alias: str

    def column(self, name: str, kind: TypeEngine[Any] | None = None) -> Expression:
        """One of its columns; null for a row that there is nothing for."""
        return literal_column(f"{self.alias}.{name}", kind or text())


class Writer:
    """Writes one statement. The slots say what a request gave in arguments; their values are bound, not written.

    Rows of a page are numbered, for whoever gathers them in an order that is said, or taken as they come.
    """

    def __init__(self, slots: Sequence[Slot], *, numbers_rows: bool = True) -> None:
        self._slots, self.numbers_rows = slots, numbers_rows
        self._names = 0
        self._parts: dict[str, CTE] = {}

    def whole(self, fields: s.Fields) -> tuple[Expression, list[CTE]]:
        """The whole answer as one text, and the sub-selects that it is made of, each after those that it names."""
        written = self._fields(fields, None, "")
        return written, list(self._parts.values())

    # --- names ---------------------------------------------------------------------------------------------------

    def _name(self) -> str:
        self._names += 1
        return f"l{self._names}"

    def _keep(self, alias: str, rows: Any) -> None:
        """Give a sub-select its name in the statement."""
        self._parts[alias] = rows.cte(alias).prefix_with("MATERIALIZED", dialect="sqlite")

    def joined(self, rows: Any) -> Joined:
        """A named sub-select."""
        alias = self._name()
        self._keep(alias, rows)
        return Joined(alias)

    def bound(self, slot: int, place: int, kind: TypeEngine[Any] | None = None) -> Any:
        """A value of a slot."""
        return bindparam(f"s{slot}_{place}", type_=kind or text())

    # --- objects -------------------------------------------------------------------------------------------------

    def _fields(self, fields: s.Fields, level: Level | None, kind: str) -> Expression:
        return as_object({key: self._value(what, level, kind) for key, what in fields})

    def _value(self, what: Any, level: Level | None, kind: str) -> str | Expression:
        match what:
            case s.Fixed():
                return str(what.json)
            case s.Part():
                return self._fields(what.fields, level, kind)
        return self._from_root(what) if level is None else self._from_row(what, level, kind)

    def _from_root(self, what: Any) -> str | Expression:
        match what:
            case s.Whole():
                page = self._whole(what)
                return page if what.unless is None else case((what.unless(), Piece(MISSING)), else_=page)
            case s.Left():
                return left(what, None)
            case s.Sole():
                return self._sole(what)
            case s.Own():
                return self._own(what)
            case s.ById():
                return self._by_id(what)
            case s.ByIds():
                return self._by_ids(what)
        raise TypeError(f"nothing says how {what!r} is written")

    def _from_row(self, what: Any, level: Level, kind: str) -> str | Expression:
        match what:
            case s.Identity():
                return chain('"', identity(kind, level.tenant, level.key), '"')
            case s.Plain():
                column = level.noun.plain[what.name]
                written = write(column.type, level.plain(what.name, plain_type(column)), several=what.several)
                return or_null(written) if can_be_null(column) else written
            case s.Left():
                return left(what, level)
            case s.One():
                return self._one(what, level)
            case s.Named():
                return self._named(what, level)
            case s.Below():
                return self._below(what, level)
        raise TypeError(f"nothing says how {what!r} is written")

    def object(self, objects: s.Objects, level: Level) -> Expression:
        """The object that a row of the level is."""
        if level.noun is not PRINCIPAL:
            return self._fields(objects.get(level.noun.kind, ()), level, level.noun.kind)
        kind = level.plain("kind")
        texts = {name: self._fields(objects.get(name, ()), level, name) for name in PRINCIPAL_KINDS}
        return case(*((kind == stored.value, texts[name]) for stored, name in KIND_OF_PRINCIPAL.items()))

    def _texts(self, objects: s.Objects, noun: Noun, rows: Rows, *, is_called: bool = False) -> Joined:
        """The objects that these rows are, each as text `x` under its key, or under its global id `id`."""
        level = self.level(noun)
        under = [identity_of(level).label("id")] if is_called else [level.tenant.label("t"), level.key.label("k")]
        written = self.object(objects, level)
        taken = level.whole(rows.with_only_columns(*level.columns.values()))
        if level.joins:
            self.fill(level, taken)
            return self.joined(select(*under, written.label("x")).select_from(level.source()))
        self.forget(level)
        return self.joined(select(*under, written.label("x")).select_from(taken.subquery(level.alias)))

    def _only(self, objects: s.Objects, noun: Noun, rows: Rows) -> Expression:
        """The object that the one row is, or null."""
        texts = self._texts(objects, noun, rows)
        return select(texts.column("x")).select_from(table(texts.alias)).scalar_subquery()

    def _one(self, one: s.One, outer: Level) -> Expression:
        edge = one.edge
        tenant = outer.take(f"{edge.name}_t", edge.tenant)
        key = outer.take(f"{edge.name}_k", edge.key)
        named = select(tenant, key).select_from(table(outer.alias))
        rows = edge.target.named_by(edge.source).where(has_key(edge.target, named))
        texts = self._texts(one.objects, edge.target, rows)
        outer.join(texts, tenant, key)
        return func.coalesce(texts.column("x"), Piece(MISSING if one.required else NO_VALUE))

    def _own(self, own: s.Own) -> Expression:
        key = VIEWER_PRINCIPAL if own.noun is PRINCIPAL else VIEWER_TENANT
        rows = own.noun.rows().where(own.noun.tenant == VIEWER_TENANT, own.noun.key == key)
        return func.coalesce(self._only(own.objects, own.noun, rows), Piece(MISSING))

    def _sole(self, sole: s.Sole) -> Expression:
        order = sorting(sole.noun.order, sole.noun.key, backwards=False)
        rows = sole.noun.rows().where(sole.where()).order_by(*order).limit(1)
        return or_null(self._only(sole.objects, sole.noun, rows))

    def _by_id(self, by_id: s.ById) -> str | Expression:
        slot = self._slots[by_id.slot]
        if slot.form is None:
            return NO_VALUE
        kind, is_own = slot.form
        noun = NODES[kind]
        tenant, key = (self.bound(by_id.slot, place) for place in (0, 1))
        rows = noun.rows().where(noun.tenant == tenant, noun.key == key, *is_of_kind(noun, kind))
        return func.coalesce(self._only(by_id.objects, noun, rows), Piece(MISSING if is_own else NO_VALUE))

    # --- objects of whatever kind --------------------------------------------------------------------------------

    def _by_ids(self, by_ids: s.ByIds) -> Expression:
        alias, elements = self._name(), Elements(self.bound(by_ids.slot, 0)).table_valued("value")
        place = func.row_number().over().label("place")
        self._keep(alias, select(elements.c.value.label("id"), place).select_from(elements))
        identifier = literal_column(f"{alias}.id", text())
        found = self._of_kinds(by_ids.objects, self._slots[by_ids.slot].form, identifier, table(alias))
        source: FromClause = table(alias)
        written: Expression = Piece(NO_VALUE)
        if found is not None:
            source = source.outerjoin(table(found.alias), found.column("id") == identifier)
            written = with_own(found.column("x"), identifier)
        listed = Listed(written, literal_column(f"{alias}.place", Integer()))
        return select(chain("[", func.coalesce(listed, Piece("")), "]")).select_from(source).scalar_subquery()

    def _named(self, named: s.Named, outer: Level) -> Expression:
        identifier = outer.plain(named.name)
        if all(map(is_plain, named.objects.values())):
            found_there = outer.look_up(f"x_{named.name}", self._looked_up(named.objects, identifier))
            return with_own(found_there, identifier)
        found = self._of_kinds(named.objects, tuple(NODES), identifier, table(outer.alias))
        if found is None:
            return Piece(NO_VALUE)
        outer.joins.append((table(found.alias), found.column("id") == identifier))
        return with_own(found.column("x"), identifier)

    def _looked_up(self, objects: s.Objects, identifier: Expression) -> Expression:
        """The object with this global id, looked up for each row, because it is all its own row."""
        found = []
        for noun, kinds in by_noun(NODES).items():
            level = Level(noun, self._name())
            written = self.object(objects, level)
            tenant, key = keys_in(identifier, noun)
            is_called = [and_(begins(identifier, kind), *is_of_kind(noun, kind)) for kind in kinds]
            rows = noun.rows().where(noun.tenant == tenant, noun.key == key, or_(*is_called))
            taken = rows.with_only_columns(*level.columns.values() or (noun.key,)).subquery(level.alias)
            is_one = or_(*(begins(identifier, kind) for kind in kinds))
            found.append((is_one, select(written).select_from(taken).scalar_subquery()))
        return case(*found)

    def _of_kinds(
        self, objects: s.Objects, kinds: Iterable[str], identifier: Expression, source: FromClause
    ) -> Joined | None:
        """The objects with these global ids, each as text `x` under its id, which begins with what it names."""
        ways = [self._of_noun(objects, noun, named, identifier, source) for noun, named in by_noun(kinds).items()]
        return self.joined(union_all(*ways)) if ways else None

    def _of_noun(
        self, objects: s.Objects, noun: Noun, kinds: list[str], identifier: Expression, source: FromClause
    ) -> Rows:
        named = (
            select(*keys_in(identifier, noun))
            .select_from(source)
            .where(or_(*(begins(identifier, kind) for kind in kinds)))
        )
        texts = self._texts(objects, noun, noun.rows().where(has_key(noun, named)), is_called=True)
        return select(texts.column("id").label("id"), texts.column("x").label("x")).select_from(table(texts.alias))

    # --- lists ---------------------------------------------------------------------------------------------------

    def _whole(self, whole: s.Whole) -> Expression:
        asked: PageAsked = self._slots[whole.slot].says
        listed: Any = asked.listed
        conditions = [*listed.where, *self._conditions(listed, whole.slot)]
        parts = [rows.where(*conditions) for rows in listed.noun.ways(listed.right)]
        listings = [Listing(listed.noun, rows, listed.order, "") for rows in parts]
        window = self._window(asked.window, listed.order, whole.slot)
        return Page(self, listings, window, whole.slot, is_numbered=self.numbers_rows).written(whole.fields)

    def _conditions(self, listed: ListAsked, slot: int) -> list[ColumnElement[bool]]:
        place, conditions = PageAsked.filtered_from, []
        for filter_, meant in listed.filters:
            values = [self.bound(slot, place + index) for index in range(len(meant.values))]
            conditions.append(filter_.narrow(meant.form, *values))
            place += len(values)
        return conditions

    def _below(self, below: s.Below, outer: Level) -> Expression:
        asked: PageAsked = self._slots[below.slot].says
        edge: Any = asked.listed
        is_leaf = all(map(is_plain, objects_of(below.fields)))
        listing = children_of(edge, outer.tenant, outer.key) if is_leaf else children_among(edge, outer)
        window = self._window(asked.window, listing.order, below.slot)
        page = Page(self, [listing], window, below.slot, is_below_a_row=is_leaf)
        if not is_leaf:
            return Pages(page, edge, outer).written(below.fields)
        page.is_numbered = self.numbers_rows or window.backwards or asks(below.fields, "start", "end", page.more)
        return page.written(below.fields)

    def _window(self, window: Window, order: Order, slot: int) -> Window:
        """The window with its positions bound instead of said."""
        kind = Integer() if order.number else text()
        places: dict[str, Any] = {}
        for place, name in ((1, "after"), (3, "before")):
            at: Position | None = getattr(window, name)
            if at is not None:
                sort = None if at.sort is None else self.bound(slot, place, kind)
                places[name] = Position(sort, self.bound(slot, place + 1))
        return replace(window, **places)

    def joined_before(self, level: Level, rows: Any) -> Joined:
        """A named sub-select that a level is made of, and so stands before it."""
        joined = self.joined(rows)
        parts = list(self._parts.items())
        parts.insert(list(self._parts).index(level.alias), parts.pop())
        self._parts = dict(parts)
        return joined

    def level(self, noun: Noun) -> Level:
        """A level of its own name, which stands before whatever is made of it."""
        level = Level(noun, self._name())
        self._parts[level.alias] = None  # type: ignore[assignment] # filled in before anything is read
        return level

    def fill(self, level: Level, rows: Any) -> None:
        """Say what the rows of a level are."""
        self._keep(level.alias, rows)

    def forget(self, level: Level) -> None:
        """Take a level back that needs no name, because nothing is made of it elsewhere."""
        del self._parts[level.alias]

    def up_to(self, count: s.Count) -> int:
        """Where a count stops."""
        bound: int = self._slots[count.slot].form
        return bound


@dataclass
class Page:
    """One page on its way into a statement: of a whole list, or of what belongs to one row."""

    writer: Writer
    parts: list[Listing]
    """The list, or what it is put together of."""
    window: Window
    slot: int
    is_below_a_row: bool = False
    """Whether the page is read where its row is; what has a name in the statement is read where no row is."""
    is_numbered: bool = True
    """Whether the rows carry their places."""
    counted: Joined | None = None
    """The beginning of the list, once it is read for the page and for its counts."""

    def written(self, fields: s.Fields) -> Expression:
        """The connection: everything that is asked about the page."""
        if not (lists_rows(fields) or asks(fields, self.more, "start", "end")):
            return as_object({key: self.part(what, {}) for key, what in fields})
        level = self.writer.level(self.listing.noun)
        said = self.said(level, fields)
        rows = self.placed(level, fields)
        connection = as_object({key: self.part(what, said, index) for index, (key, what) in enumerate(fields)})
        if not (self.is_numbered or lists_rows(fields)):
            self.writer.fill(level, rows)
            return connection
        if level.joins or not self.is_below_a_row:
            self.writer.fill(level, rows)
            shown = None if self.is_numbered else self.shown(level)
            return select(connection).select_from(level.source(shown)).scalar_subquery()
        self.writer.forget(level)
        return select(connection).select_from(rows.subquery(level.alias)).scalar_subquery()

    @property
    def listing(self) -> Listing:
        """The list, if it is one, and what all parts of it have alike."""
        return self.parts[0]

    @property
    def is_whole(self) -> bool:
        """Whether it is of one whole list, so that all rows of its level are its own."""
        return self.listing.parent is None and not self.is_below_a_row

    # --- what is said of the rows --------------------------------------------------------------------------------

    def said(self, level: Level, fields: s.Fields) -> dict[str, Expression]:
        """What is said of the page's rows together: `n0` of the first field and so on, `more`, `start` and `end`."""
        said: dict[str, Expression] = {}
        place, is_more = level.column("place", Integer()), asks(fields, self.more)
        for index, (_, what) in enumerate(fields):
            if isinstance(what, s.Nodes | s.Edges):
                at_place = -place if self.window.backwards else place
                is_shown = [place <= self.window.size] if is_more and self.is_numbered else []
                said[f"n{index}"] = Listed(self._element(what, level), at_place, *is_shown)
        if is_more:
            said["more"] = boolean((func.count() if self.is_numbered else count_of(level)) > self.window.size)
        if asks(fields, "start", "end"):
            ends = self._numbered_ends(level) if self.is_numbered else self._ends(level)
            said["start"], said["end"] = reversed(ends) if self.window.backwards else ends
        return said

    @property
    def more(self) -> str:
        """What of the page's information one row more than it shows tells."""
        return "has_previous" if self.window.backwards else "has_next"

    def _element(self, what: s.Nodes | s.Edges, level: Level) -> Expression:
        if isinstance(what, s.Nodes):
            return self.writer.object(what.objects, level)
        return as_object({key: self._edge_part(each, level) for key, each in what.fields})

    def _edge_part(self, what: Any, level: Level) -> str | Expression:
        match what:
            case s.Cursor():
                return chain('"', self._cursor(level), '"')
            case s.Node():
                return self.writer.object(what.objects, level)
        return str(what.json)

    def _cursor(self, level: Level) -> Expression:
        """Where a row stands in the list, as `write_cursor` writes it."""
        sort = self._sort(level)
        key = case((sort.is_(None), Piece(NO_SORT)), else_=Hexed(sort)) if self.listing.order.nullable else Hexed(sort)
        return chain(self.listing.digest or self.writer.bound(self.slot, 0), "_", key, "_", level.key)

    def _sort(self, level: Level) -> Expression:
        """What the rows are sorted by, before their keys."""
        order = self.listing.order
        return level.take("sort", order.by, Integer() if order.number else text())

    def _numbered_ends(self, level: Level) -> tuple[Expression, Expression]:
        """The cursors of the first and the last row that is shown, in the order that they are read in."""
        place, cursor = level.column("place", Integer()), self._cursor(level)
        last = self._shown_of(count_of(level) if self.is_whole else level.column("total", Integer()))
        return func.max(case((place == 1, cursor))), func.max(case((place == last, cursor)))

    def _ends(self, level: Level) -> tuple[Expression, Expression]:
        """The same of rows that are not numbered."""
        cursors = select(self._cursor(level)).select_from(table(level.alias)).limit(1)
        return cursors.scalar_subquery(), cursors.offset(self._shown_of(count_of(level)) - 1).scalar_subquery()

    def _shown_of(self, total: Expression) -> Expression:
        """How many of the rows that were read are shown."""
        return case((total > self.window.size, self.window.size), else_=total)

    # --- which rows ----------------------------------------------------------------------------------------------

    def placed(self, level: Level, fields: s.Fields) -> Any:
        """The rows, and one more if that is asked, with their places if they are numbered."""
        if self.window.backwards and not self.is_numbered:
            self._sort(level)  # and the key, by which `shown` turns the rows round
            level.take("k", self.listing.noun.key)
        first = self._first(level, fields)
        if not self.is_numbered:
            rows = self.taken(level, first.subquery(level.alias)).order_by(*self.sorting) if self._reads_keys else first
            return level.whole(rows).limit(self.size(fields))
        placed = every_column(first.subquery(level.alias)).add_columns(func.row_number().over().label("place"))
        numbered = placed.subquery(level.alias)
        rows = self.taken(level, numbered, "place") if self._reads_keys else every_column(numbered)
        if not self.is_whole and asks(fields, "start", "end"):
            rows = rows.add_columns(func.count().over().label("total"))
        if not self.writer.numbers_rows:
            rows = rows.order_by(self.place_order(level))  # taken as they come, they have to come so
        return level.whole(rows)

    def shown(self, level: Level) -> FromClause:
        """Of rows that are not numbered those that are shown, in the order of the list."""
        rows: Any = select(literal_column(f"{level.alias}.*")).select_from(table(level.alias)).limit(self.window.size)
        if self.window.backwards:
            by = replace(self.listing.order, by=level.column("sort"))
            rows = every_column(rows.subquery(level.alias)).order_by(*sorting(by, level.column("k"), backwards=False))
        shown: FromClause = rows.subquery(level.alias)
        return shown

    @property
    def _reads_keys(self) -> bool:
        """Whether rows are sorted of which few are shown: of the others nothing is read but the keys."""
        return len(self.parts) > 1 or self.is_below_a_row or self.counted is not None

    def taken(self, level: Level, keys: FromClause, *beside: str) -> Any:
        """All that is taken of the rows with these keys, and what stands beside them."""
        noun = self.listing.noun
        is_it = and_(noun.tenant == level.column("t"), noun.key == level.column("k"))
        columns = [*level.columns.values(), *map(level.column, beside)]
        return again(keys, noun.table, is_it).with_only_columns(*columns or [noun.key])

    def _is_counted_with(self, counts: list[int]) -> bool:
        """Whether the list is read once for its page and for its counts, as both are of its beginning."""
        return bool(counts) and self.is_whole and not (self.window.after or self.window.before)

    def size(self, fields: s.Fields) -> int:
        """How many rows are read."""
        return self.window.size + asks(fields, self.more)

    def place_order(self, level: Level) -> ColumnElement[Any]:
        """The order of the list, whichever way it was read."""
        place: ColumnElement[Any] = level.column("place", Integer())
        return place.desc() if self.window.backwards else place

    @property
    def sorting(self) -> list[ColumnElement[Any]]:
        """The order in which the rows are read."""
        return sorting(self.listing.order, self.listing.noun.key, backwards=self.window.backwards)

    def _first(self, level: Level, fields: s.Fields) -> Any:
        """The first rows of the list, put together of the first ones of its parts; their keys, if many are sorted."""
        size, noun, order = self.size(fields), self.listing.noun, self.listing.order
        counts = [self.writer.up_to(what) + 1 for _, what in fields if isinstance(what, s.Count)]
        is_counted = self._is_counted_with(counts)
        most = max(size, *counts) if is_counted else size
        ordered = [inside(part, self.window).order_by(*self.sorting).limit(most) for part in self.parts]
        keys = [noun.tenant.label("t"), noun.key.label("k")]
        if len(ordered) == 1 and not is_counted:
            columns = keys if self._reads_keys else list(level.columns.values())
            return ordered[0].with_only_columns(*columns or keys)
        found = [rows.with_only_columns(*keys, order.by.label("b")) for rows in ordered]
        joined = self.writer.joined_before(level, found[0] if len(found) == 1 else together(found))
        self.counted = joined if is_counted else None
        by, key = joined.column("b", Integer() if order.number else text()), joined.column("k")
        first = select(joined.column("t").label("t"), key.label("k")).select_from(table(joined.alias))
        return first.order_by(*sorting(replace(order, by=by), key, backwards=self.window.backwards)).limit(size)

    # --- the connection ------------------------------------------------------------------------------------------

    def part(self, what: Any, said: dict[str, Expression], index: int = 0) -> str | Expression:
        """One field of the connection."""
        match what:
            case s.Fixed():
                return str(what.json)
            case s.Count():
                return self._count(what)
            case s.Info():
                return as_object({key: self._info(part, said) for key, part in what.fields})
        return chain("[", func.coalesce(said[f"n{index}"], Piece("")), "]")

    def _info(self, part: Any, said: dict[str, Expression]) -> str | Expression:
        if isinstance(part, s.Fixed):
            return part.json
        if part.name in ("start", "end"):
            return or_null(chain('"', said[part.name], '"'))
        beyond = [
            some for each in self.parts for name, some in outside(each, self.window) if part.name == f"has_{name}"
        ]
        found = [there_are(some.with_only_columns(self.listing.noun.key)) for some in beyond]
        if part.name == self.more:
            found.append(func.coalesce(said["more"], Piece(FALSE)) == Piece("true"))
        return boolean(or_(*found)) if found else FALSE

    def _count(self, count: s.Count) -> Expression:
        """How many rows there are, looking at no more than the bound and one."""
        up_to, found = self.writer.up_to(count), func.count()
        parts: dict[str, str | Expression] = {}
        for key, part in count.fields:
            if isinstance(part, s.Fixed):
                parts[key] = part.json
            elif part.name == "value":
                parts[key] = Number(case((found > up_to, up_to), else_=found))
            else:
                parts[key] = boolean(found <= up_to)
        if not any(isinstance(part, s.CountPart) for _, part in count.fields):
            return as_object(parts)  # a select without an aggregate has a row for each that is counted
        return select(as_object(parts)).select_from(self._some(up_to + 1).subquery()).scalar_subquery()

    def _some(self, at_most: int) -> Any:
        """As many rows of the list as are counted."""
        if self.counted is not None:
            return select(literal_column("1").label("one")).select_from(table(self.counted.alias)).limit(at_most)
        each = [part.rows.with_only_columns(self.listing.noun.key).limit(at_most) for part in self.parts]
        return each[0] if len(each) == 1 else together(each).limit(at_most)


@dataclass
class Pages:
    """A page below each row of a level, all of them together, because there are levels below them in turn."""

    page: Page
    edge: Many
    outer: Level

    def written(self, fields: s.Fields) -> Expression:
        """The connection of one of those rows."""
        page = self.page
        alone = replace(page, parts=[children_of(self.edge, self.outer.tenant, self.outer.key)])
        level = page.writer.level(page.listing.noun)
        level.repeats = self.outer.repeats or self.edge.link is not None or self.edge.derive is not None
        said = page.said(level, fields)
        page.writer.fill(level, self._placed(level, fields))
        rows = self._grouped(level, said)
        found = {name: rows.column(name) for name in said}
        return as_object({key: alone.part(what, found, index) for index, (key, what) in enumerate(fields)})

    def _placed(self, level: Level, fields: s.Fields) -> Any:
        """The first rows of each page with their places."""
        page, listing = self.page, self.page.listing
        by = (listing.tenant, listing.parent)
        place = func.row_number().over(partition_by=by, order_by=page.sorting).label("place")
        parent = (listing.tenant.label("ot"), listing.parent.label("ok"))
        key = (listing.noun.tenant.label("t"), listing.noun.key.label("k"))
        rows = inside(listing, page.window).with_only_columns(*parent, *key, place)
        kept = every_column(rows.subquery(level.alias)).where(level.column("place", Integer()) <= page.size(fields))
        found = page.taken(level, kept.subquery(level.alias), "ot", "ok", "place")
        owner = [level.column("ot"), level.column("ok")]
        if asks(fields, "start", "end"):
            found = found.add_columns(func.count().over(partition_by=owner).label("total"))
        return level.whole(found.order_by(*owner, page.place_order(level)))

    def _grouped(self, level: Level, said: dict[str, Expression]) -> Joined:
        """What is said of each page, joined to the row that it is below."""
        tenant, key = level.column("ot"), level.column("ok")
        columns = [expression.label(name) for name, expression in said.items()]
        rows = select(tenant.label("t"), key.label("k"), *columns).select_from(level.source()).group_by(tenant, key)
        joined = self.page.writer.joined(rows)
        self.outer.join(joined, self.outer.tenant, self.outer.key)
        return joined


# --- what is asked ---------------------------------------------------------------------------------------------------


def lists_rows(fields: s.Fields) -> bool:
    """Whether a page's rows themselves are asked for."""
    return any(isinstance(what, s.Nodes | s.Edges) for _, what in fields)


def asks(fields: s.Fields, *names: str) -> bool:
    """Whether one of these is asked of where a page lies."""
    infos = (part for _, what in fields if isinstance(what, s.Info) for _, part in what.fields)
    return any(isinstance(part, s.InfoPart) and part.name in names for part in infos)


def objects_of(fields: s.Fields) -> Iterator[s.Fields]:
    """What is selected of the objects of a page, for each kind of them."""
    for _, what in fields:
        if isinstance(what, s.Nodes | s.Node):
            yield from what.objects.values()
        elif isinstance(what, s.Edges):
            yield from objects_of(what.fields)


def is_plain(fields: s.Fields) -> bool:
    """Whether an object is all its own row."""
    return all(
        is_plain(what.fields) if isinstance(what, s.Part) else not isinstance(what, s.One | s.Named | s.Below)
        for _, what in fields
    )


def children_among(edge: Many, outer: Level) -> Listing:
    """The list of all rows of the level together."""
    rows, parents = named_targets(edge), (outer.tenant.label("t"), outer.key.label("k"))
    keys = select(*parents).select_from(table(outer.alias))
    if edge.derive is not None:
        return children(edge, rows, lambda tenant, key: tuple_(tenant, key).in_(keys))
    each = keys.distinct().subquery(f"{outer.alias}_each")
    source, own = (each, each.c) if outer.repeats else (table(outer.alias), keys.selected_columns)

    def is_it(tenant: Any, key: Any) -> ColumnElement[bool]:
        return and_(tenant == own.t, key == own.k)

    return children(edge, rows, is_it, source)


# --- pieces ----------------------------------------------------------------------------------------------------------


def every_column(rows: Any) -> Any:
    """Every column of a sub-select."""
    return select(literal_column(f"{rows.name}.*")).select_from(rows)


def count_of(level: Level) -> Any:
    """How many rows the level has."""
    return select(func.count()).select_from(table(level.alias)).scalar_subquery()


def together(parts: list[Any]) -> Any:
    """Rows of several selects, each cut off for itself."""
    return union_all(*(select(*part.subquery().c) for part in parts))


def there_are(rows: Rows) -> ColumnElement[bool]:
    """Whether there is any of these rows."""
    return rows.limit(1).exists()


def as_object(parts: dict[str, str | Expression]) -> Expression:
    """A JSON object of these parts."""
    written: list[str | Expression] = ["{"]
    for key, value in parts.items():
        written += ["," if len(written) > 1 else "", f'"{key}":', value]
    return chain(*written, "}")


def has_key(noun: Noun, keys: Rows) -> ColumnElement[bool]:
    """The row of the noun has one of these keys; a tenant's key is its tenant."""
    is_it: ColumnElement[bool] = tuple_(noun.tenant, noun.key).in_(keys)
    if noun.tenant is noun.key:
        is_it = noun.key.in_(keys.with_only_columns(list(keys.selected_columns)[1]))
    return is_it


def is_of_kind(noun: Noun, kind: str) -> list[ColumnElement[bool]]:
    """A principal is what its id says it is."""
    return [noun.plain["kind"] == PRINCIPAL_KINDS[kind].value] if noun is PRINCIPAL else []


def begins(identifier: Expression, kind: str) -> ColumnElement[bool]:
    """The global id is one of this kind."""
    length = len(kind) + 1 + UUID_LENGTH + (0 if kind == "tenant" else 1 + UUID_LENGTH)
    return and_(starts_with(identifier, f"{kind}_"), size_of(identifier) == length)


def by_noun(kinds: Iterable[str]) -> dict[Noun, list[str]]:
    """The kinds of global ids, by the nouns whose rows they name."""
    found: dict[Noun, list[str]] = {}
    for kind in kinds:
        found.setdefault(NODES[kind], []).append(kind)
    return found


def keys_in(identifier: Expression, noun: Noun) -> tuple[Expression, Expression]:
    """Tenant and key in a global id of the noun's; a tenant's key is its tenant."""
    key = func.substr(identifier, size_of(identifier) - UUID_LENGTH + 1)
    if noun.tenant is noun.key:
        return key, key
    return func.substr(identifier, size_of(identifier) - 2 * UUID_LENGTH, UUID_LENGTH), key


def with_own(found: Expression, identifier: Expression) -> Expression:
    """What was found under the id, or null. Whoever asks need not be stored, and is then not for a plan."""
    own = chain("user_", VIEWER_TENANT, "_", VIEWER_PRINCIPAL)
    return func.coalesce(found, case((identifier == own, Piece(MISSING)), else_=Piece(NO_VALUE)))


def identity(kind: str, tenant: Expression, key: Expression) -> Expression:
    """The global id of the row with this key."""
    return chain(f"{kind}_", tenant) if kind == "tenant" else chain(f"{kind}_", tenant, "_", key)


def identity_of(level: Level) -> Expression:
    """The global id of the level's row, whichever kind of its noun it is."""
    if level.noun is not PRINCIPAL:
        return identity(level.noun.kind, level.tenant, level.key)
    kind, tenant, key = level.plain("kind"), level.tenant, level.key
    return case(*((kind == stored.value, identity(name, tenant, key)) for stored, name in KIND_OF_PRINCIPAL.items()))


def can_be_null(column: Expression) -> bool:
    """Whether there can be no value; of what is made of columns nothing is known."""
    return getattr(column, "nullable", True)


def plain_type(column: Expression) -> TypeEngine[Any]:
    """The type that a plain field is written by: text for whatever is stored as text."""
    kind: TypeEngine[Any] = column.type
    return kind if kind.python_type in (int, bool, float) else text()


def column_of(level: Any, name: str) -> Expression:
    """A column that a finish asks for by its name in a row."""
    if name in ("row_tenant", "row_key"):
        return level.tenant if name == "row_tenant" else level.key
    return level.plain(name)


def left(what: s.Left, level: Level | None) -> Expression:
    """What a finish needs: its number, and the columns as they are stored."""
    stored: list[str | Expression] = []
    for name in what.columns if level else ():
        stored += ["," if stored else "", or_null(Quoted(column_of(level, name)))]
    return chain(f'{LEFT}{what.number},"v":[', *stored, "]}")
