"""What each world's models reach: figures read from a store, kept as JSON, shown on the pages of `docs/worlds/`."""
