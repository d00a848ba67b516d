"""Drawings of the evaluation `probing`."""
