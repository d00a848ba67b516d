"""Published recordings as datasets."""
