"""The rules of the domain as plain data and plain functions. Knows no framework."""
