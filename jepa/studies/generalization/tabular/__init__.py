"""Worlds of a few states, in which risk, optimum and regret are exact."""
