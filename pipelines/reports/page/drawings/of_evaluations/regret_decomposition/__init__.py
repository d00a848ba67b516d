"""Drawings of the evaluation `regret_decomposition`."""
