"""Whether what a training is made from is in the store, by name alone: asked before anything imports torch."""

from infra.storage import Store
from pipelines.store.datasets.handle import resolve_dataset
from pipelines.store.models.layout import ModelLayout
from pipelines.store.models.names import check_model_is_there


def check_sources_are_there(store: Store, name: str, dataset: str, init_from: str | None = None) -> None:
    """Passes where what a new model is made from is in the store.

    A name that something was written under passes too: that model holds to what it began with, which is checked where
    it is continued.

    Args:
        store: where all of them are.
        name: of the model that is made.
        dataset: `d0` or `d0@2`.
        init_from: model whose weights it starts from.

    Raises:
        InputError: there is no such dataset, version or model; the message lists those that there are.
    """
    if store.list(f"{ModelLayout(name).root}/"):
        return
    resolve_dataset(store, dataset)
    if init_from is not None:
        check_model_is_there(store, init_from)
