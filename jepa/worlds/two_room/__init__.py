"""Our own vectorised Two-Room."""
