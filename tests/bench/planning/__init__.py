"""What a decision costs, which planners reach their goals, and what a peer says of the same model."""
