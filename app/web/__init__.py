"""HTTP: bearer tokens, the GraphQL endpoint, health."""
