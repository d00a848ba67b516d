"""Models: manifest, weights, claims, checkpoints, training curve, card."""

from typing import TYPE_CHECKING

from infra.storage import Store
from pipelines.store.references import ModelRef

if TYPE_CHECKING:
    from jepa.models.world_model import WorldModel


def load_model(store: Store, model: str | ModelRef) -> "WorldModel":
    """Returns a finished model of the store on the CPU, ready to encode and to imagine.

    Args:
        store: where the model is.
        model: its name, a certain one's as `m0@1a2b3c4d`, or a reference.

    Raises:
        InputError: there is no such model; the message lists those that there are.
        InfraError: its weights are missing or damaged.
    """
    from pipelines.store.models.manifest import read_model

    return read_model(store, model)[1].eval()


__all__ = ["load_model"]
