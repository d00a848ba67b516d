"""Drawings that one kind of evaluation asks for."""
