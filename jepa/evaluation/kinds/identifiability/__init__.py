"""Identifiability: whether latents are the world's own state, up to a rotation."""
