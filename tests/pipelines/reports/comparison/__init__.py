"""Tests of models held against each other."""
