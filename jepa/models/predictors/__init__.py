"""Predictors: the next latent from latents and actions, each form under a name."""
