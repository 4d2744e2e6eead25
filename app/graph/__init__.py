"""The Strawberry schema: types, queries, context and errors."""
