"""Terms of a loss and figures of its latents, which several objectives share."""
