"""What evaluations cost and find, and how long the questions to their rows take."""
