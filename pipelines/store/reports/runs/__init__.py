"""Runs: the plans by which they are named collections of units, and what they hold."""
