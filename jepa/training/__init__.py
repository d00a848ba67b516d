"""Training: collectives with gradients, the learning-rate schedule, the trainer and its exact state, recipes."""
