"""Which objects an interface or a union can be, as the caches of clients need to know before they meet one."""

from graphql import GraphQLSchema, is_abstract_type

from app.graph.coordinates import own_types


def possible_types(schema: GraphQLSchema) -> dict[str, list[str]]:
    """The names of the objects of each interface and union, all in order; the shape of Apollo's `possibleTypes`."""
    return {
        kind.name: sorted(each.name for each in schema.get_possible_types(kind))
        for kind in sorted(own_types(schema), key=lambda kind: kind.name)
        if is_abstract_type(kind)
    }
