"""A schema in the shape of the real one, just large enough to write documents against."""

from graphql import build_schema

SCHEMA = build_schema("""
    type Query { node(id: ID!): Node nodes(ids: [ID!]!): [Node]! viewer: Viewer }
    type Mutation { rename(input: RenameInput!): Room }
    interface Node { id: ID! }
    scalar Day
    enum Color { RED GREEN }
    input RenameInput { room: ID! name: String day: Day color: Color }
    input RoomFilter { search: String capacity: Int and: [RoomFilter!] }
    type Viewer {
      name: String
      rooms(first: Int, after: String, last: Int, before: String, filter: RoomFilter): RoomConnection
      groups(first: Int, after: String): GroupConnection
    }
    type PageInfo { hasNextPage: Boolean! endCursor: String }
    type RoomConnection { edges: [RoomEdge!]! nodes: [Room!]! pageInfo: PageInfo! totalCount(upTo: Int! = 1000): Int }
    type RoomEdge { cursor: String! node: Room! }
    type Room implements Node {
      id: ID! name: String a: Int b: Int c: Int
      parent: Room other: Room
      groups(first: Int, after: String): GroupConnection
    }
    type GroupConnection { nodes: [Group!]! }
    type Group implements Node { id: ID! name: String rooms(first: Int, last: Int): RoomConnection }
""")


def of_room(selections: str) -> str:
    """A document that selects this of every visible room."""
    return "{ viewer { rooms { nodes { " + selections + " } } } }"
