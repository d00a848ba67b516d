"""Why auxiliary tasks keep latents apart: the theorem on tables, and four ways to train in the counting world."""
