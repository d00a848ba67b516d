"""Benchmarks by room; `record.py` keeps their figures in `results/`, with hardware and versions."""
