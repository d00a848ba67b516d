"""Report tables: their schema, writing and reading."""
