"""What a fit of heads is asked to do: a model, the kinds of heads, their options."""

from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveFloat, field_validator, model_validator

from jepa.core.config import Config
from jepa.core.registries.choices import Choices
from jepa.planning.heads.registry import HEADS
from pipelines.device import Device
from pipelines.executor import Executor
from pipelines.executor.defaults import one_local_worker
from pipelines.store.references import DatasetText, ModelText


class FitHeadsConfig(Config):
    """Heads of one model."""

    model: ModelText = Field(min_length=1)
    """Model in the store: `m0`, or `m0@1a2b3c4d` for those weights and no others."""
    dataset: DatasetText | None = None
    """Dataset whose train split they are fitted on: `d0@2`, or `d0` for its newest version; by default the version that
    the model was trained on."""
    heads: Annotated[tuple[str, ...], Choices(HEADS.names, others="one of yours")] = ("inverse",)
    """Kinds of heads."""
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options of a kind where they differ from its defaults: inverse.steps=8000."""
    seed: NonNegativeInt = 0
    """Seed of initial weights and of all that is drawn."""
    force: bool = False
    """Fit again what is fitted already, and put it in the place of what is there."""
    workers: int = Field(1, gt=0, le=4096)
    """Heads that are fitted at once; each worker encodes the frames once."""
    executor: Executor = "ray"
    """`ray` fits in actors of the cluster, `local` in this process, or in several of this machine."""
    cpus: PositiveFloat = 1.0
    """Cores that Ray reserves for each worker."""
    device: Device = "auto"
    """`auto` takes a GPU where a worker has one."""

    @model_validator(mode="before")
    @classmethod
    def _one_local_worker(cls, value: Any) -> Any:
        return one_local_worker(value)

    @field_validator("heads")
    @classmethod
    def _heads_are_known(cls, heads: tuple[str, ...]) -> tuple[str, ...]:
        for kind in heads:
            HEADS.check(kind)
        if not heads:
            raise ValueError(f"name at least one of: {', '.join(HEADS)}")
        return tuple(dict.fromkeys(heads))

    @model_validator(mode="after")
    def _options_are_of_heads(self) -> "FitHeadsConfig":
        for kind in self.options:
            if kind not in self.heads:
                raise ValueError(f"options.{kind} is given and {kind!r} is none of heads ({', '.join(self.heads)})")
        return self
