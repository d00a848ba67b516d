"""Heads: small networks that are fitted on a model's frozen latents, for planners and costs to use."""
