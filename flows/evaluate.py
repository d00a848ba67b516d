"""Evaluating alone, as a deployment, with the report of what was found."""

from flows.cluster import cluster_for
from flows.job import job
from flows.tasks import evaluate_task, report_task
from infra.storage import open_store
from pipelines.evaluate import EvaluateConfig
from pipelines.reports.page import ReportConfig


@job("evaluate", run_name="{config.model}")
def evaluate(config: EvaluateConfig, store: str = "runs/") -> str:
    """Judges a model of the store on held-out episodes and reports.

    Args:
        config: the model and the kinds of judgement.
        store: folder or s3://bucket/prefix that holds the model and takes the figures.

    Returns:
        The address of the report.
    """
    open_store(store).check()
    with cluster_for(store, config):
        run = evaluate_task(config, store)
    return report_task(ReportConfig(run=run), store)
