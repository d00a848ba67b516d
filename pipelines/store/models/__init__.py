"""Models: manifest, weights, checkpoints, training curve, card."""
