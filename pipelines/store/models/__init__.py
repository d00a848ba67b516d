"""Models: manifest, weights, checkpoints, training curve, card."""

from infra.storage import Store
from jepa.models.world_model import WorldModel
from pipelines.store.models.manifest import read_model


def load_model(store: Store, name: str) -> WorldModel:
    """Returns a finished model of the store on the CPU, ready to encode and to imagine.

    Args:
        store: where the model is.
        name: of the model.

    Raises:
        InputError: there is no such model; the message lists those that there are.
        InfraError: its weights are missing or damaged.
    """
    return read_model(store, name)[1].eval()


__all__ = ["load_model"]
