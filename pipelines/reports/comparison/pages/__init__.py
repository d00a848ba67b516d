"""The pages of comparisons and of the leaderboard."""
