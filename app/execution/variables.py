"""The variables of a request as its operation declares them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    coerce_input_value,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

NO_VARIABLES = VariableValues({}, {})


@dataclass(frozen=True, slots=True)
class Plain:
    """A variable of a scalar or an enum."""

    signature: GraphQLVariableSignature
    missing: VariableValues | None
    """What a request without it says; None where it has to be given."""


class Variables:
    """Reads the variables of one operation, each request's, as graphql-core does.

    Where all are plain, what it would find out anew for every request is found once: their values are texts, numbers
    and members of enums, of which requests can share a default. It is asked itself about all others, and about
    whatever is wrong.
    """

    def __init__(self, schema: GraphQLSchema, declared: Collection[VariableDefinitionNode]) -> None:
        self._schema, self._declared = schema, declared
        plain = [plain_variable(schema, node) for node in declared]
        self._plain = [each for each in plain if each] if all(plain) else None

    def read(self, given: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values, or what is wrong with them."""
        if not self._declared:
            return NO_VARIABLES
        read = None if self._plain is None else read_plain(self._plain, given)
        return read or get_variable_values(self._schema, self._declared, given)


def plain_variable(schema: GraphQLSchema, node: VariableDefinitionNode) -> Plain | None:
    """A variable, if it is a plain one of a valid document."""
    signature = get_variable_signature(schema, node)
    if isinstance(signature, GraphQLError):
        return None
    if not is_leaf_type(get_nullable_type(signature.type)):
        return None
    missing = get_variable_values(schema, [node], {})
    return Plain(signature, missing if isinstance(missing, VariableValues) else None)


def read_plain(declared: Collection[Plain], given: dict[str, Any]) -> VariableValues | None:
    """The values, or None if one of them is wrong."""
    sources: dict[str, VariableValueSource] = {}
    coerced: dict[str, Any] = {}
    for each in declared:
        name = each.signature.name
        if name in given:
            sources[name] = VariableValueSource(each.signature, given[name])
            coerced[name] = coerce_input_value(given[name], each.signature.type)
            if coerced[name] is Undefined:
                return None
        elif each.missing is None:
            return None
        else:
            sources |= each.missing.sources
            coerced |= each.missing.coerced
    return VariableValues(sources, coerced)
