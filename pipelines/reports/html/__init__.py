"""The HTML report of a run."""

from pipelines.reports.html.report import ReportConfig, ReportResult, report

__all__ = ["ReportConfig", "ReportResult", "report"]
