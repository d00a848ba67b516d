"""What the tests of trainings share: the smallest training on the small dataset, and what it leaves."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.storage import Store
from jepa.training.trainer import Trainer
from pipelines.pretrain import PretrainConfig, pretrain
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


class Cut(BaseException):
    """Stands for a kill: nothing of ours catches it."""


def train_until(step: int, config: PretrainConfig, store: Store) -> None:
    """Trains until so many steps are done, and no further; checkpoints of `smoke` come every 20."""
    with before_step(step, cut), pytest.raises(Cut):
        pretrain(config, store)


def cut() -> None:
    """Ends the training as a kill does."""
    raise Cut


class before_step:
    """Within the block, something is done in a training when so many of its steps are done, before the next."""

    def __init__(self, step: int, act: Callable[[], object]) -> None:
        self._step, self._act = step, act
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        real = Trainer.step

        def stepping(trainer: Trainer, clips: Any) -> dict[str, float]:
            if trainer.completed_steps == self._step:
                self._act()
            return real(trainer, clips)

        self._patch.setattr(Trainer, "step", stepping)

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
