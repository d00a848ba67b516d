"""Servers of our own, for the time of a command."""
