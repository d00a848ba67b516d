"""Surprise: whether prediction errors rise when something impossible happens."""
