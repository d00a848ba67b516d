"""Loaders on the containers' official readers, to compare the native one with."""
