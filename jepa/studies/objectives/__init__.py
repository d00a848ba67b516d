"""The study `objectives`: all objectives side by side on the same data."""
