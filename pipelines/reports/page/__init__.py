"""The report: one HTML page of a run."""

from pipelines.reports.page.report import ReportConfig, ReportResult, report

__all__ = ["ReportConfig", "ReportResult", "report"]
