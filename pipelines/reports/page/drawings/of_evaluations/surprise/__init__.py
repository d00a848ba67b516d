"""Drawings of the evaluation `surprise`."""
