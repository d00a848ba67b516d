"""Evaluating alone, as a deployment, with the report of what was found."""

from prefect import flow

from flows.cluster import cluster_for
from flows.tasks import evaluate_task, report_task
from pipelines.evaluate import EvaluateConfig
from pipelines.reports.page import ReportConfig


@flow(name="evaluate", flow_run_name="{config.model}", persist_result=False)
def evaluate(config: EvaluateConfig, store: str = "runs/") -> str:
    """Judges a model of the store on held-out episodes and reports.

    Args:
        config: the model and the kinds of judgement.
        store: folder or s3://bucket/prefix that holds the model and takes the figures.

    Returns:
        The address of the report.
    """
    with cluster_for(config):
        run = evaluate_task(config, store)
    return report_task(ReportConfig(run=run), store)
