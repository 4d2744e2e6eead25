"""Objects whose fields are plain attributes, completed by functions that are put together once for a document.

graphql-core decides anew for each field of each object what is to be done with it. Here that is decided once, and what
is left is to read an attribute and to write it. Whatever is not plain is not for these functions, and any value that
does not fit is graphql-core's to judge: it knows the error and its path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

Complete = Callable[[Any], Any]
"""From what a resolver answered to what stands in the response. Raises `Unfit`, or anything, for what does not fit."""
Grouped = Mapping[str, list[FieldDetails]]
TYPENAME = "__typename"


class NotPlain(Exception):
    """Something is selected that is more than an attribute."""


class Unfit(Exception):
    """A value that graphql-core has to judge."""


@dataclass(frozen=True)
class Selecting:
    """What one operation selects with the variables of one request, as graphql-core collects it."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDetails]
    operation: OperationDefinitionNode
    variables: VariableValues

    def root(self) -> Grouped:
        """The root fields by response key."""
        kind: Any = self.schema.get_root_type(self.operation.operation)
        return collect_fields(self.schema, self.fragments, self.variables, kind, self.operation).grouped_field_set

    def below(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Grouped:
        """What is selected of an object of this type, by response key."""
        return collect_subfields(
            self.schema, self.fragments, self.variables, self.operation, kind, details
        ).grouped_field_set


def completion(selecting: Selecting, kind: GraphQLOutputType, details: list[FieldDetails]) -> Complete:
    """What completes values of this type as they are selected here. Raises `NotPlain`."""
    if isinstance(kind, GraphQLNonNull):
        return non_null(completion(selecting, kind.of_type, details))
    return nullable(of_type(selecting, kind, details))


def of_type(selecting: Selecting, kind: GraphQLOutputType, details: list[FieldDetails]) -> Complete:
    """What completes values that are not null."""
    if isinstance(kind, GraphQLList):
        return each(completion(selecting, kind.of_type, details))
    if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
        return leaf(kind)
    if isinstance(kind, GraphQLObjectType):
        return plain_object(selecting, kind, details)
    raise NotPlain


def nullable(complete: Complete) -> Complete:
    """As it is, or null."""
    return lambda value: None if value is None else complete(value)


def non_null(complete: Complete) -> Complete:
    """As it is; null does not fit."""

    def completed(value: Any) -> Any:
        result = complete(value)
        if result is None:
            raise Unfit
        return result

    return completed


def each(complete: Complete) -> Complete:
    """Every element of a list."""

    def completed(values: Any) -> list[Any]:
        if type(values) is not list:
            raise Unfit
        return [complete(value) for value in values]

    return completed


def leaf(kind: GraphQLScalarType | GraphQLEnumType) -> Complete:
    """A scalar, or a word of an enum."""
    coerce = kind.coerce_output_value

    def completed(value: Any) -> Any:
        result = coerce(value)
        if result is None or result is Undefined:
            raise Unfit
        return result

    return completed


def plain_object(selecting: Selecting, kind: GraphQLObjectType, details: list[FieldDetails]) -> Complete:
    """An object, attribute by attribute. Raises `NotPlain` for a field that has a resolver."""
    parts = [(key, *plain_field(selecting, kind, same)) for key, same in selecting.below(kind, details).items()]
    return lambda source: {key: complete(read(source)) for key, read, complete in parts}


def plain_field(selecting: Selecting, kind: GraphQLObjectType, same: list[FieldDetails]) -> tuple[Complete, Complete]:
    """How one field is read, and how it is completed."""
    name = same[0].node.name.value
    if name == TYPENAME:
        return lambda _: kind.name, lambda found: found
    field = kind.fields.get(name)
    declared = field.extensions.get("strawberry-definition") if field else None
    if field is None or declared is None or declared.base_resolver is not None:
        raise NotPlain
    return attrgetter(declared.python_name), completion(selecting, field.type, same)
