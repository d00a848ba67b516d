"""Predictors: the next latent from latents and actions, each under a name."""
