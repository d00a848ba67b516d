"""All that a training process needs to know; it travels to workers as it stands."""

from dataclasses import dataclass

from pipelines.executor import UnitLog
from pipelines.pretrain.config import PretrainConfig
from pipelines.store.models.origin import Origin


@dataclass(frozen=True)
class TrainingTask:
    """A training whose dataset and initial weights are resolved: no worker looks for "the newest"."""

    config: PretrainConfig
    store_uri: str
    run: str
    """id that the model's rows carry"""
    origin: Origin
    claim: int | None = None
    """Number of the claim by which the driver holds the model's name; None where nobody claimed it."""
    threads: int = 0
    """Threads of torch in this process; 0 leaves them as they are."""
    log: UnitLog | None = None
    """Where the attempt is logged."""
