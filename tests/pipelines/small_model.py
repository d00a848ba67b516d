"""What the tests of trainings share: the smallest training on the small dataset, and what it leaves."""

from typing import Any

from infra.storage import Store
from pipelines.pretrain import PretrainConfig
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.manifest import ModelHandle


def small_training(name: str = "m0", **changes: Any) -> PretrainConfig:
    """Returns 30 steps of the recipe `smoke` on dataset `d0`, in this process, with some fields changed."""
    fields = {"dataset": "d0", "recipe": "smoke", "executor": "local", "device": "cpu", "steps": 30}
    return PretrainConfig.model_validate({**fields, "name": name, **changes})


def stored_weights(store: Store, name: str) -> bytes:
    """Returns the newest weights of a model."""
    model = ModelHandle(store, name)
    return model.weights(model.require())


def checkpoints_of(store: Store, name: str) -> Checkpoints:
    """Returns the checkpoints of a model."""
    return Checkpoints(ModelHandle(store, name))
