"""What searches for actions have in common: their space, their sizes, imagination, and the planner built on it."""
