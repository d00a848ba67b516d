"""The latent space itself: rank, straightness, Gaussianity."""
