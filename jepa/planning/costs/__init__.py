"""Costs: how near imagined latents come to the goal, each a file and a name."""
