"""Partner Gateway: a scoped GraphQL API over delegated meeting rooms."""
