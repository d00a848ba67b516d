"""Training: the trainer and its exact state, precision, ways to compute a step, the learning rate, recipes."""
