"""Heads: small networks that were fitted on the frozen latents of a model, kept beside it."""
