"""From a document to a plan: what each of its fields is, said in the words that plans are written from.

A field says what it is where it is declared. A document with a field that says nothing is run by the executor alone,
and counted.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import orjson
import strawberry
from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    OperationType,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_argument
from strawberry.types.field import StrawberryField

from app.access.recognizing import UnknownCaller
from app.domain.refusals import Problem
from app.execution.answers import NotAdmitted, log_defect
from app.execution.completion import Complete, Grouped, NotPlain, Selecting, Unfit, completion
from app.execution.documents import Operation, nodes_of
from app.execution.executions import Finished
from app.execution.remembering import Remembered
from app.graph.context import Context, Info
from app.graph.declaring import NOUN_TYPES, PLAIN, PLAN, Place, ReadSlot
from app.graph.types import node_slot
from app.graph.vocabulary import CONFIG
from app.reading import selections as s
from app.reading.declaring import Noun
from app.reading.plans import Binds, NotPlanned, Plan, run_plan, values_of, write_plan
from app.reading.slots import Slot
from app.storage.straight import TooComplex

MAX_PLANS = 200
MAX_PLAN_BYTES = 8_000_000
"""Statements that are remembered together, by their number and their length."""
MAX_CHOICES = 16
"""Outlines of one operation, by what its `@skip` and `@include` let in."""


ASKED_ONCE = object()
"""Stands for the outline of a document that has not come again yet."""
MAX_ASKED = 2_000
"""Kinds of requests that are known to have been asked once."""


FETCHED_KEY = "x"
FETCHED, FETCHED_END = f'{{"data":{{"{FETCHED_KEY}":'.encode(), b"}}"
"""What stands around an object that is fetched by itself."""


class Planning(Enum):
    """When plans are written."""

    AGAIN = "for what is asked for the second time"
    AT_ONCE = "for whatever is asked"
    NEVER = "not at all"


class Unplanned(Exception):
    """A field does not say how it is planned."""


@dataclass(frozen=True)
class Reader:
    """Reads what one field is given in its arguments."""

    place: Place
    read: ReadSlot
    varies: bool
    """Whether requests of one document can differ in it."""

    @cached_property
    def declared(self) -> list[tuple[str, str, Any]]:
        """The field's arguments: names in the graph and in Python, and types. Strawberry finds out each one's anew."""
        field: StrawberryField = self.place.definition.extensions["strawberry-definition"]
        name = CONFIG.name_converter.from_argument
        return [(name(each), each.python_name, each.type) for each in field.arguments]

    def slot(self, variables: VariableValues, context: Context, registry: Any) -> Slot:
        """What this request says. Raises what a resolver would raise for such arguments."""
        given = get_argument_values(self.place.definition, self.place.details[0].node, variables)
        arguments = {
            python_name: convert_argument(given[name], kind, registry, CONFIG, path=(name,))
            for name, python_name, kind in self.declared
            if name in given
        }
        return self.read(arguments, context)


@dataclass(frozen=True)
class Finish:
    """Finishes what was left: the field's own resolver, asked with the columns that it needs."""

    place: Place
    columns: tuple[str, ...]
    slot: int
    complete: Complete

    async def value(self, stored: Sequence[Any], info: Any, slots: Sequence[Slot]) -> Any:
        """The field's value in the answer."""
        row = SimpleNamespace(**dict(zip(self.columns, map(self._restored, self.columns, stored), strict=True)))
        read = self.place.declared.metadata.get("read")
        if read is not None:
            return self.complete(read(row))
        resolve: Any = self.place.definition.resolve
        found = resolve(SimpleNamespace(row=row), info, **slots[self.slot].says)
        return self.complete(await found if asyncio.iscoroutine(found) else found)

    def _restored(self, name: str, stored: Any) -> Any:
        noun = self.place.noun
        kind = noun.plain[name].type if noun and name in noun.plain else None
        restore = getattr(kind, "process_result_value", None)
        return stored if restore is None else restore(stored, None)


@dataclass(slots=True)
class PlanKey:
    """Parts that are hashed once."""

    parts: tuple[Any, ...]
    hashed: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.hashed = hash(self.parts)

    def __hash__(self) -> int:
        return self.hashed


@dataclass(slots=True, eq=False)
class Said:
    """What a request says in the arguments of its document."""

    slots: tuple[Slot, ...]
    values: Binds = field(init=False)
    """What is bound of it, by name."""
    keys: dict[str, PlanKey] = field(default_factory=dict)
    """Of the plans for it, by dialect."""

    def __post_init__(self) -> None:
        self.values = values_of(self.slots)


@dataclass(eq=False)
class Outline:
    """What one operation asks, with some choice of what it skips and includes."""

    fields: s.Fields
    readers: tuple[Reader, ...]
    finishes: tuple[Finish, ...]
    is_fresh: bool = True
    """Whether nothing was planned with it yet: it was made because its document came again."""
    same: dict[int, Slot] = field(default_factory=dict)
    """The slots that are the same in every request."""
    always: Said | None = None
    """What every request says, once it is known that all say the same."""

    def said(self, variables: VariableValues, context: Context, registry: Any, *given: Slot) -> Said:
        """What this request says, after what is given. Raises what a resolver would raise for such arguments."""
        if self.always is not None:
            return self.always
        read = (self._slot(place, each, variables, context, registry) for place, each in enumerate(self.readers))
        said = Said((*given, *read))
        if len(self.same) == len(said.slots):
            self.always = said
        return said

    def _slot(self, place: int, reader: Reader, variables: VariableValues, context: Context, registry: Any) -> Slot:
        if (found := self.same.get(place)) is not None:
            return found
        slot = reader.slot(variables, context, registry)
        if not reader.varies:
            self.same[place] = slot
        return slot


class Outliner:
    """Makes the outline of one operation. Raises `Unplanned`."""

    def __init__(self, selecting: Selecting) -> None:
        self.selecting = selecting
        self.given = 0
        """Slots before those that are read from arguments."""
        self.readers: list[Reader] = []
        self.finishes: list[Finish] = []

    def outline(self, kind: GraphQLObjectType, grouped: Grouped) -> Outline:
        """The outline of these fields."""
        fields = self._fields(kind, grouped, None)
        return Outline(fields, tuple(self.readers), tuple(self.finishes))

    def fetch(self, place: Place) -> Outline:
        """The outline of one object, whose id is in a slot that is given."""
        self.given = 1
        fields: s.Fields = ((FETCHED_KEY, s.ById(0, self.objects(place))),)
        return Outline(fields, tuple(self.readers), tuple(self.finishes))

    def fields(self, place: Place, noun: Noun | None = None, kind: GraphQLObjectType | None = None) -> s.Fields:
        """What is selected below a field, of objects of the type that it answers with."""
        named: Any = kind or get_named_type(place.definition.type)
        return self._fields(named, self.selecting.below(named, place.details), noun)

    def _fields(self, kind: GraphQLObjectType, grouped: Grouped, noun: Noun | None) -> s.Fields:
        return tuple((key, self._field(kind, details, noun)) for key, details in grouped.items())

    def _field(self, kind: GraphQLObjectType, details: list[FieldDetails], noun: Noun | None) -> Any:
        name = details[0].node.name.value
        if name == "__typename":
            return s.Fixed(f'"{kind.name}"')
        definition = kind.fields.get(name)
        if definition is None:
            raise Unplanned
        place = Place(definition, details, noun)
        plan = place.declared.metadata.get(PLAN)
        if plan is not None:
            return plan(self, place)
        if PLAIN not in place.declared.metadata or noun is None:
            raise Unplanned
        python_name = place.declared.python_name
        several = is_list_type(get_nullable_type(definition.type))
        return s.Identity() if python_name == "id" else s.Plain(python_name, several)

    def objects(self, place: Place) -> s.Objects:
        """What is selected of each kind of object that a field can answer with."""
        named: Any = get_named_type(place.definition.type)
        schema = self.selecting.schema
        is_abstract = isinstance(named, GraphQLInterfaceType | GraphQLUnionType)
        kinds = schema.get_possible_types(named) if is_abstract else [named]
        return {each.name.lower(): self.fields(place, NOUN_TYPES[each.name], each) for each in kinds}

    def slot(self, place: Place, read: ReadSlot, *, per_request: bool = False) -> int:
        """The number of a slot for the field's arguments."""
        arguments = nodes_of(*(place.details[0].node.arguments or ()))
        varies = per_request or any(isinstance(node, VariableNode) for node in arguments)
        self.readers.append(Reader(place, read, varies))
        return self.given + len(self.readers) - 1

    def left(self, place: Place, columns: tuple[str, ...]) -> s.Left:
        """What the field's resolver is asked for afterwards."""
        try:
            complete = completion(self.selecting, place.definition.type, place.details)
        except NotPlain:
            raise Unplanned from None
        slot = self.slot(place, lambda given, _: Slot(None, (), given))
        self.finishes.append(Finish(place, columns, slot, complete))
        return s.Left(len(self.finishes), columns)


# --- running ---------------------------------------------------------------------------------------------------------


class Planner:
    """Answers operations by plans, and counts how often it did, and why it did not.

    Both is said by a word, which the request's line of the log has: `planned`, or `first` for what nobody had asked
    before, `document` for a field without a plan, `arguments` and `answer` for those that a plan cannot have,
    `complex` for a statement that the database does not take, and `defect`.
    """

    def __init__(self, schema: strawberry.Schema, planning: Planning = Planning.AGAIN) -> None:
        self._planned, self._eager = planning is not Planning.NEVER, planning is Planning.AT_ONCE
        self._asked = Remembered(MAX_ASKED)
        self._schema = schema._schema  # noqa: SLF001 - Strawberry keeps graphql-core's schema there
        self._registry = schema.schema_converter.scalar_registry
        self._plans: OrderedDict[Any, Plan] = OrderedDict()
        self._bytes = 0
        self._fetched: OrderedDict[Any, tuple[Any, Outline | None]] = OrderedDict()
        self.counts: Counter[str] = Counter()

    async def answer(self, operation: Operation, variables: VariableValues, context: Context) -> bytes | None:
        """The whole answer as JSON; None where the executor has to answer.

        Raises `NotAdmitted`.
        """
        outline = self._outline(operation, variables, context)
        if outline is None:
            return None
        try:
            return await self._tried(outline, variables, context)
        except UnknownCaller as unknown:
            raise NotAdmitted from unknown

    async def admit(self, context: Context) -> None:
        """Returns for whoever may ask, whose operation is then run field by field. Raises `NotAdmitted`."""
        context.planned = self.fetch if self._planned else None
        try:
            await context.recognize()
        except UnknownCaller as unknown:
            raise NotAdmitted from unknown

    async def fetch(self, info: Info, identifier: str) -> Finished | None:
        """The object with this id as the field selects it; None where it has to be fetched field by field."""
        raw, context = info._raw_info, info.context  # noqa: SLF001 - Strawberry keeps what graphql-core says there
        if context.reader.trial:
            return None
        outline = self._fetching(raw)
        if outline is None:
            self._count("document", context)
            return None
        answer = await self._tried(outline, raw.variable_values, context, node_slot(identifier, context))
        return None if answer is None else Finished(answer[len(FETCHED) : -len(FETCHED_END)])

    def _fetching(self, raw: Any) -> Outline | None:
        """The outline of one field that answers with an object."""
        chosen = tuple((name, value) for name, value in raw.variable_values.coerced.items() if isinstance(value, bool))
        key = (*map(id, raw.field_nodes), chosen)
        if key not in self._fetched:
            # The nodes are kept beside the outline, so that no other ones get their ids.
            self._fetched[key] = (raw.field_nodes, self._outlined_fetch(raw))
            if len(self._fetched) > MAX_PLANS:
                self._fetched.popitem(last=False)
        return self._fetched[key][1]

    def _outlined_fetch(self, raw: Any) -> Outline | None:
        fragments = {name: FragmentDetails(fragment) for name, fragment in raw.fragments.items()}
        selecting = Selecting(self._schema, fragments, raw.operation, raw.variable_values)
        details = [FieldDetails(node, None) for node in raw.field_nodes]
        place = Place(raw.parent_type.fields[raw.field_name], details, None)
        try:
            return Outliner(selecting).fetch(place)
        except Unplanned:
            return None

    async def _tried(self, outline: Outline, variables: VariableValues, context: Context, *given: Slot) -> bytes | None:
        try:
            answer = await self._answer(outline, variables, context, *given)
        except UnknownCaller:
            raise
        except (Problem, GraphQLError):
            self._count("arguments", context)
        except NotPlanned as reason:
            self._count(str(reason), context)
        except Unfit:
            self._count("answer", context)
        except Exception as defect:  # noqa: BLE001 - the executor answers as well, only slower
            log_defect(defect, context.request_id)
            self._count("defect", context)
        else:
            self._count("planned", context)
            return answer
        return None

    def _count(self, how: str, context: Context) -> None:
        """Count a plan that answered, or why the executor has to; of a request, what came first is told."""
        self.counts[how] += 1
        context.plan = context.plan or how

    async def _answer(self, outline: Outline, variables: VariableValues, context: Context, *given: Slot) -> bytes:
        said = outline.said(variables, context, self._registry, *given)
        plan = self._plan(outline, said, context)
        try:
            answer = await run_plan(context.reader, plan, said.values)
        except TooComplex:
            plan.is_refused = True
            raise NotPlanned("complex") from None
        context.is_recognized = True
        return await self._finished(answer, outline, said.slots, context) if plan.is_left else answer

    def _outline(self, operation: Operation, variables: VariableValues, context: Context) -> Outline | None:
        if operation.kind is not OperationType.QUERY or not self._planned:
            return None
        chosen = tuple([variables.coerced.get(name) for name in operation.choices]) if operation.choices else ()
        outlines = operation.outlines
        if chosen not in outlines and len(outlines) >= MAX_CHOICES:
            del outlines[next(iter(outlines))]
        is_second = operation.came_before and not outlines
        if chosen not in outlines and not self._eager and not is_second:
            outlines[chosen] = ASKED_ONCE
            self._count("first", context)
            return None
        if outlines.get(chosen, ASKED_ONCE) is ASKED_ONCE:
            outlines[chosen] = self._outlined(operation, variables)
        outline: Outline | None = outlines[chosen]
        if outline is None:
            self._count("document", context)
        return outline

    def _outlined(self, operation: Operation, variables: VariableValues) -> Outline | None:
        selecting = Selecting(self._schema, operation.fragments, operation.node, variables)
        root: Any = self._schema.query_type
        try:
            return Outliner(selecting).outline(root, selecting.root())
        except Unplanned:
            return None

    def _plan(self, outline: Outline, said: Said, context: Context) -> Plan:
        """The plan for requests like this. Raises `NotPlanned` for the first of them, unless plans are made at once."""
        dialect = context.reader.database.dialect
        key = said.keys.get(dialect.name)
        if key is None:
            key = said.keys[dialect.name] = PlanKey((outline, dialect.name, *(slot.form for slot in said.slots)))
        plan = self._plans.get(key)
        if plan is None:
            # To write a plan costs as much as to run many a document.
            if not (self._eager or outline.is_fresh or key in self._asked):
                self._asked.add(key)
                raise NotPlanned("first")
            outline.is_fresh = False
            plan = self._keep(key, write_plan(outline.fields, said.slots, dialect))
        self._plans.move_to_end(key)
        if plan.is_refused:
            raise NotPlanned("complex")
        return plan

    def _keep(self, key: Any, plan: Plan) -> Plan:
        self._plans[key] = plan
        self._bytes += len(plan.text)
        while len(self._plans) > 1 and (len(self._plans) > MAX_PLANS or self._bytes > MAX_PLAN_BYTES):
            self._bytes -= len(self._plans.popitem(last=False)[1].text)
        return plan

    async def _finished(self, answer: bytes, outline: Outline, slots: Sequence[Slot], context: Context) -> bytes:
        whole = orjson.loads(answer)
        info: Any = SimpleNamespace(context=context, schema=self._schema)
        places = list(left_places(whole))
        wanted = (outline.finishes[left["!"] - 1].value(left.get("v", ()), info, slots) for _, _, left in places)
        for (holder, at, _), value in zip(places, await asyncio.gather(*wanted), strict=True):
            holder[at] = value
        return orjson.dumps(whole)


def left_places(whole: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Everywhere that something was left: what holds it, where, and what it is."""
    pending = [whole]
    while pending:
        holder = pending.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for at, value in items:
            if isinstance(value, dict) and "!" in value:
                yield holder, at, value
            elif isinstance(value, dict | list):
                pending.append(value)
