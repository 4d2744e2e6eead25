"""Tables, engines, migrations and the reading of files. Knows neither rules nor GraphQL."""
