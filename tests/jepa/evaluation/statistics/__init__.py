"""Tests of intervals and of tests of differences."""
