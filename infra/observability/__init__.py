"""Names of the metrics, and what shows them."""
