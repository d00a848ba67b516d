"""Fitting heads of a model alone, as a deployment, for planners and costs that plan with them."""

from flows.cluster import cluster_for
from flows.job import job
from flows.tasks import fit_heads_task
from infra.storage import open_store
from pipelines.heads import FitHeadsConfig


@job("fit-heads", run_name="{config.model}")
def fit_heads(config: FitHeadsConfig, store: str = "runs/") -> list[str]:
    """Fits heads on the frozen latents of a model of the store.

    Args:
        config: the model and the kinds of heads.
        store: folder or s3://bucket/prefix that holds the model and takes the heads.

    Returns:
        The names of the heads.
    """
    open_store(store).check()
    with cluster_for(store, config):
        return fit_heads_task(config, store)
