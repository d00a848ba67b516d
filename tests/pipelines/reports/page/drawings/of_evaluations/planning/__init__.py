"""Drawings of the evaluation `planning`."""
