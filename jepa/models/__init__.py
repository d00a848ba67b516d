"""Models: encoders, the action-conditioned predictor, and the world model that joins them."""
