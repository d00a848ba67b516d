"""Pretraining alone, as a deployment."""

from prefect import flow

from flows.cluster import cluster_for
from flows.tasks import pretrain_task
from pipelines.pretrain import PretrainConfig


@flow(name="pretrain", flow_run_name="{config.name}", persist_result=False)
def pretrain(config: PretrainConfig, store: str = "runs/") -> str:
    """Trains a model on a dataset of the store.

    Args:
        config: the model and its training.
        store: folder or s3://bucket/prefix that holds the dataset and takes the model.

    Returns:
        The model's name.
    """
    with cluster_for(config):
        return pretrain_task(config, store, run=config.name)
