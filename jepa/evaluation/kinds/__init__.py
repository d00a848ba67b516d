"""Kinds of evaluation, a folder each, chosen by name."""
