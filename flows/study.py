"""A study as a deployment: the cells of its grid, then the page with the verdicts."""

from flows.cluster import cluster_for
from flows.job import job
from flows.tasks import report_task, study_task
from infra.storage import open_store
from pipelines.reports.page import ReportConfig
from pipelines.study import StudyConfig


@job("study", run_name="{config.study}-{config.preset}")
def study(config: StudyConfig, store: str = "runs/") -> str:
    """Runs the cells of a study that are missing, judges its claims and reports.

    Args:
        config: the study and its grid.
        store: folder or s3://bucket/prefix that takes the rows.

    Returns:
        The address of the report.
    """
    open_store(store).check()
    with cluster_for(store, config):
        run = study_task(config, store)
    return report_task(ReportConfig(run=run), store)
