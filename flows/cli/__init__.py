"""The `jepa` command line."""
