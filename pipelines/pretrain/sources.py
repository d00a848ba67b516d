"""Whether what a training is made from is in the store, by name alone: asked before anything imports torch."""

from infra.storage import Store
from pipelines.pretrain.config import PretrainConfig
from pipelines.store.datasets.handle import resolve_dataset
from pipelines.store.models.layout import ModelLayout
from pipelines.store.models.names import check_model_is_there


def check_sources_are_there(config: PretrainConfig, store: Store) -> None:
    """Passes where dataset and initial model of a new training are in the store.

    A name that something was written under passes too: that training holds to what it began with, which is checked
    where it is continued.

    Raises:
        InputError: there is no such dataset, version or model; the message lists those that there are.
    """
    if store.list(f"{ModelLayout(config.name).root}/"):
        return
    resolve_dataset(store, config.dataset)
    if config.init_from is not None:
        check_model_is_there(store, config.init_from)
