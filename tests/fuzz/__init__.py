"""Fuzz targets, one for each reader of foreign bytes; `python -m tests.fuzz.<target>` runs one until it is stopped."""
