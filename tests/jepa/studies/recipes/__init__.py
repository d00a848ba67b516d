"""Tests of the study `recipes`."""
