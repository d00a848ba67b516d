"""Drawings of the evaluation `decoding`."""
