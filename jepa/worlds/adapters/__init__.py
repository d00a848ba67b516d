"""Worlds of other packages, each behind our interface, and what their adapters share."""
