"""Threads and processes whose end is noticed."""
