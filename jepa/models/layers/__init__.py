"""Layers that encoders and predictors are built of."""
