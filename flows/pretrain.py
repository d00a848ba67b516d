"""Pretraining alone, as a deployment."""

from flows.cluster import cluster_for
from flows.job import job
from flows.tasks import pretrain_task
from infra.storage import open_store
from pipelines.pretrain import PretrainConfig


@job("pretrain", run_name="{config.name}")
def pretrain(config: PretrainConfig, store: str = "runs/") -> str:
    """Trains a model on a dataset of the store.

    Args:
        config: the model and its training.
        store: folder or s3://bucket/prefix that holds the dataset and takes the model.

    Returns:
        The model's name.
    """
    open_store(store).check()
    with cluster_for(store, config):
        return pretrain_task(config, store, run=config.name)
