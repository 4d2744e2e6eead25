"""Every part of a schema by its coordinate, as clients and errors name it: `Room`, `Room.id`, `Query.node(id:)`."""

from typing import Any

from graphql import (
    DirectiveLocation,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
)

BUILT_IN = {"String", "Int", "Float", "Boolean", "ID"}
EXECUTABLE = {
    DirectiveLocation.QUERY,
    DirectiveLocation.MUTATION,
    DirectiveLocation.SUBSCRIPTION,
    DirectiveLocation.FIELD,
    DirectiveLocation.FRAGMENT_DEFINITION,
    DirectiveLocation.FRAGMENT_SPREAD,
    DirectiveLocation.INLINE_FRAGMENT,
    DirectiveLocation.VARIABLE_DEFINITION,
}
"""Where a document can carry a directive; everywhere else only a schema can."""


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    """Everything in the schema that GraphQL itself does not bring."""
    return [kind for name, kind in schema.type_map.items() if not name.startswith("__") and name not in BUILT_IN]


def parts(kind: GraphQLNamedType) -> dict[str, Any]:
    """A type and everything in it, by coordinate."""
    found: dict[str, Any] = {kind.name: kind}
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in kind.fields.items():
            found[f"{kind.name}.{name}"] = field
            found |= {f"{kind.name}.{name}({argument}:)": value for argument, value in field.args.items()}
    elif isinstance(kind, GraphQLInputObjectType):
        found |= {f"{kind.name}.{name}": field for name, field in kind.fields.items()}
    elif isinstance(kind, GraphQLEnumType):
        found |= {f"{kind.name}.{name}": value for name, value in kind.values.items()}
    return found


def is_executable(directive: GraphQLDirective) -> bool:
    """A document can carry the directive."""
    return not EXECUTABLE.isdisjoint(directive.locations)


def coordinates(schema: GraphQLSchema) -> dict[str, Any]:
    """Everything that a document can name, by coordinate."""
    found: dict[str, Any] = {}
    for kind in own_types(schema):
        found |= parts(kind)
    for directive in filter(is_executable, schema.directives):
        found |= {f"@{directive.name}({argument}:)": value for argument, value in directive.args.items()}
    return found
