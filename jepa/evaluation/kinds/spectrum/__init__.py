"""Spectrum: how many functions of a latent the world lets a model predict, and what that allows of its plans."""
