"""Collecting alone, as a deployment: a schedule may keep a dataset of each day."""

from prefect import flow

from flows.cluster import cluster_for
from flows.tasks import collect_task
from pipelines.collect import CollectConfig


@flow(name="collect", flow_run_name="{config.name}", persist_result=False)
def collect(config: CollectConfig, store: str = "runs/") -> str:
    """Collects a dataset, or what is missing of it.

    Args:
        config: the dataset.
        store: folder or s3://bucket/prefix that it is written to.

    Returns:
        The dataset's name.
    """
    with cluster_for(config):
        collect_task(config, store)
    return config.name
