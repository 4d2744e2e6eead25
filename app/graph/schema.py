"""The schema, built and checked: a field without a right, or anything without a description, stops the start."""

import strawberry
from graphql import GraphQLObjectType
from graphql.utilities.print_schema import print_schema_definition
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from app.graph.coordinates import own_types, parts
from app.graph.declaring import NOUN_TYPES, PLAIN, RIGHT, VALUE_TYPES
from app.graph.errors import KINDS
from app.graph.mutations import Mutation
from app.graph.query import Query
from app.graph.types import Application, SecurityGroup, User
from app.graph.vocabulary import CONFIG

DESCRIPTION = """\
The meeting rooms of companies, and the partner organizations that look after them.

Begin at `viewer`. Below it is everything that you may see, and nothing else exists: the same document is answered
differently for everybody, and no argument widens what you get. Lists come in pages: ask for `first`, then for what is
`after` the page's `endCursor`. Keep an object's `id`, and `node` fetches it again.

A mutation takes one `input`, and answers with what it changed and with `errors`: data, each with a `code` for your
program, a `message` for a person, and the `path` of the input that it is about. With any error nothing was done.
"""


class SchemaRefused(Exception):
    """The schema has a field without a right, or something without a description: a defect of this program."""


def build_schema() -> strawberry.Schema:
    """The schema of the gateway. Raises `SchemaRefused`."""
    schema = strawberry.Schema(
        query=Query, mutation=Mutation, types=[*KINDS.values(), User, SecurityGroup, Application], config=CONFIG
    )
    schema._schema.description = DESCRIPTION.strip()  # noqa: SLF001 - Strawberry takes none
    problems = [*undescribed(schema), *unguarded(schema)]
    if problems:
        raise SchemaRefused("; ".join(problems))
    return schema


def print_schema(schema: strawberry.Schema) -> str:
    """The schema as schema.graphql holds it: Strawberry prints all but what describes the whole."""
    return f"{print_schema_definition(schema._schema)}\n\n{schema}"  # noqa: SLF001


def undescribed(schema: strawberry.Schema) -> list[str]:
    """Types, fields, arguments and enum values that nobody described."""
    kinds = own_types(schema._schema)  # noqa: SLF001
    return [
        f"{where} has no description" for kind in kinds for where, part in parts(kind).items() if not part.description
    ]


def unguarded(schema: strawberry.Schema) -> list[str]:
    """Fields that are neither part of their object nor say under which right they are shown."""
    found = []
    for kind in own_types(schema._schema):  # noqa: SLF001
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
