"""The experiments: each measures one cell."""
