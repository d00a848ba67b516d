"""The noisy point mass: prediction in latents against prediction of the input."""
