"""Kind `geometry`: whether distances of latents are those that a planner needs."""
