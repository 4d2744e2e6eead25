"""The schema, built and checked: a field without a right, or anything without a description, stops the start."""

from typing import Any

import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLNamedType, GraphQLObjectType
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from app.graph.declaring import NOUN_TYPES, PLAIN, RIGHT, VALUE_TYPES
from app.graph.errors import KINDS
from app.graph.mutations import Mutation
from app.graph.query import Query
from app.graph.types import Application, SecurityGroup, User
from app.graph.vocabulary import CONFIG


class SchemaRefused(Exception):
    """The schema has a field without a right, or something without a description: a defect of this program."""


def build_schema() -> strawberry.Schema:
    """The schema of the gateway. Raises `SchemaRefused`."""
    schema = strawberry.Schema(
        query=Query, mutation=Mutation, types=[*KINDS.values(), User, SecurityGroup, Application], config=CONFIG
    )
    problems = [*undescribed(schema), *unguarded(schema)]
    if problems:
        raise SchemaRefused("; ".join(problems))
    return schema


def own_types(schema: strawberry.Schema) -> list[GraphQLNamedType]:
    """Everything in the schema that GraphQL itself does not bring."""
    built_in = {"String", "Int", "Float", "Boolean", "ID"}
    types = schema._schema.type_map.values()  # noqa: SLF001
    return [kind for kind in types if not kind.name.startswith("__") and kind.name not in built_in]


def undescribed(schema: strawberry.Schema) -> list[str]:
    """Types, fields, arguments and enum values that nobody described."""
    found = []
    for kind in own_types(schema):
        parts: dict[str, Any] = {kind.name: kind}
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                parts[f"{kind.name}.{name}"] = field
                parts |= {f"{kind.name}.{name}({argument})": value for argument, value in field.args.items()}
        elif isinstance(kind, GraphQLInputObjectType):
            parts |= {f"{kind.name}.{name}": field for name, field in kind.fields.items()}
        elif isinstance(kind, GraphQLEnumType):
            parts |= {f"{kind.name}.{name}": value for name, value in kind.values.items()}
        found += [f"{where} has no description" for where, part in parts.items() if not part.description]
    return found


def unguarded(schema: strawberry.Schema) -> list[str]:
    """Fields that are neither part of their object nor say under which right they are shown."""
    found = []
    for kind in own_types(schema):
        definition = kind.extensions.get("strawberry-definition")
        if not isinstance(kind, GraphQLObjectType) or not isinstance(definition, StrawberryObjectDefinition):
            continue
        origin = definition.origin.__name__
        if origin not in NOUN_TYPES and origin not in VALUE_TYPES:
            found.append(f"{kind.name} is declared neither as a noun nor as a part of one")
        found += [
            f"{kind.name}.{name} says no right under which it is shown"
            for name, field in kind.fields.items()
            if not is_guarded(field.extensions["strawberry-definition"])
        ]
    return found


def is_guarded(field: StrawberryField) -> bool:
    """The field is part of its object, or says under which right it is shown."""
    return PLAIN in field.metadata or RIGHT in field.metadata
