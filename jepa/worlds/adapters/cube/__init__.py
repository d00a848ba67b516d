"""OGBench's single cube, by way of stable-worldmodel."""
