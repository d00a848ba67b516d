"""The report: one HTML page of a run."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.reports.page.config import ReportConfig
    from pipelines.reports.page.report import ReportResult, report

__all__ = ["ReportConfig", "ReportResult", "report"]

offer_lazily(__name__)
