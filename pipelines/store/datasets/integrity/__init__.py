"""Whether a dataset is what was written: digests, bounds, verification, and making again what is damaged."""
