"""Planners, a file each, chosen by name."""
