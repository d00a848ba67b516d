"""Blocks of a world's page, each filled from the kept figures."""
