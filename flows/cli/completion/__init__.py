"""Completion of `jepa` in shells: what can be typed, and the script of each shell that offers it."""
