"""The version of the report tables' schema."""

SCHEMA_VERSION = 1
"""A major version: raised only when a column is removed or changes its meaning, not for one more optional column."""
