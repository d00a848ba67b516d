"""What a tracker is: a place besides `metrics.parquet` that shows a training's figures."""

import importlib.util
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry

if TYPE_CHECKING:
    from pipelines.store.models.manifest import ModelHandle


@dataclass(frozen=True)
class Tracked:
    """The training that a tracker shows."""

    id: str
    """the same after each restart, and no other training's"""
    model: "ModelHandle"
    """what is trained, and the folder that files may be left in"""
    last_step: int
    """of the checkpoint that is resumed from, 0 at the start; all figures after it come again, and are the same"""
    settings: dict[str, Any]
    """of the training, as plain JSON"""


class Tracker(ABC):
    """Shows the figures of one training; made in rank 0 only, again after each restart."""

    package: str | None = None
    """what must be importable; None where our own dependencies are enough"""

    @abstractmethod
    def __init__(self, tracked: Tracked) -> None:
        """Opens the training's page, the same one after a restart."""

    @abstractmethod
    def log(self, step: int, figures: dict[str, float]) -> None:
        """Takes the figures of one logged step; steps ascend."""

    def part(self, step: int) -> tuple[str, bytes] | None:
        """Returns what was logged since the last call as a file of the model's folder; None where there is none."""
        return None

    def close(self) -> None:
        """Is called once at the end, however it came."""
        return None


TRACKERS: Registry[type[Tracker]] = Registry(
    "tracker",
    {
        "mlflow": "pipelines.pretrain.records.trackers.mlflow",
        "tensorboard": "pipelines.pretrain.records.trackers.tensorboard",
        "wandb": "pipelines.pretrain.records.trackers.wandb",
    },
)


def check_trackers(names: tuple[str, ...]) -> None:
    """Passes where the packages of all named trackers are installed.

    Raises:
        InputError: one is not, or a name is not known.
    """
    for name in names:
        package = TRACKERS.get(name).package
        if package is not None and importlib.util.find_spec(package) is None:
            raise InputError(
                f"trackers names {name!r}, whose package is not installed; install jepa-foundry[{name}], "
                f"or leave {name!r} out"
            )
