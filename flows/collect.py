"""Collecting alone, as a deployment: a schedule may keep a dataset of each day."""

from flows.cluster import cluster_for
from flows.job import job
from flows.tasks import collect_task
from infra.storage import open_store
from pipelines.collect import CollectConfig


@job("collect", run_name="{config.name}")
def collect(config: CollectConfig, store: str = "runs/") -> str:
    """Collects a dataset, or what is missing of it.

    Args:
        config: the dataset.
        store: folder or s3://bucket/prefix that it is written to.

    Returns:
        The dataset's name.
    """
    open_store(store).check()
    with cluster_for(store, config):
        collect_task(config, store)
    return config.name
