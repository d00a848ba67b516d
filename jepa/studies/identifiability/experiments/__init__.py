"""What one cell of each experiment does."""
