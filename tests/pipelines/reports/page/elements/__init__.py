"""The elements of a page."""
