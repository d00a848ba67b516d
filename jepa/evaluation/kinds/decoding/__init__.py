"""Decoding: latents drawn as pictures."""
