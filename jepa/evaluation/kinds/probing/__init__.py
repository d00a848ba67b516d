"""Probing: what can be read from a latent."""
