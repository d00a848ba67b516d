"""Drawings: the ways in which a chart that an evaluation declares becomes a part of the page."""

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject

__all__ = ["DRAWINGS", "Drawing", "Subject"]
