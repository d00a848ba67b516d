"""What an evaluation is asked to do: a model, held-out episodes, and the kinds of judgement."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveFloat, field_validator, model_validator

from jepa.core.config import Config
from jepa.core.registries.choices import Choices
from jepa.evaluation import EVALUATIONS, get_protocol, protocol_names
from pipelines.device import Device
from pipelines.executor import Executor
from pipelines.executor.defaults import one_local_worker
from pipelines.store.datasets.integrity.bounds import MOST_EPISODES
from pipelines.store.references import DatasetText, ModelText, split_model

STANDARD_KINDS = ("probing", "planning", "surprise", "latent")


class EvaluateConfig(Config):
    """A judgement of one model."""

    model: ModelText = Field(min_length=1)
    """Model in the store: `m0`, or `m0@1a2b3c4d` for those weights and no others."""
    dataset: DatasetText | None = None
    """Dataset whose held-out episodes are used: `d0` for its newest version, `d0@2` for that one; by default the newest
    of the dataset that the model was trained on."""
    kinds: Annotated[tuple[str, ...], Choices(EVALUATIONS.names, others="one of yours")] = STANDARD_KINDS
    """Kinds of evaluation."""
    protocol: Annotated[str | None, Choices(protocol_names, others="a YAML file")] = None
    """Named, versioned set-up, or the path of a YAML file with one; by default that which the world declares."""
    grid: dict[str, Any] = Field(default_factory=dict)
    """Options of the protocol's planners with several values each, e.g. `samples=64,300 replan=5,25`: every combination
    is a planner of this run, labelled by it; `planner=cem` varies that one alone, and the others stay."""
    shift: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    """Factors with values that training did not contain, e.g. `door=0.1,0.15 agent_radius=0.03`: everything is judged
    under each of them too, on datasets that are collected where they are missing, and held against the usual."""
    shift_episodes: int | None = Field(None, gt=0, le=MOST_EPISODES)
    """Episodes of each shifted dataset; by default as many as the dataset has to test with."""
    problems: str | None = None
    """Planning problems to solve, in the place of drawn ones: four digits or more of the digest of a manifest in the
    store, or the path of its file; the dataset is then by default the one that they were drawn from."""
    heads: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+-[0-9a-f]{8}$")], ...] = ()
    """Heads by name, where planners ask for some and not the newest of its kind is meant: `inverse-1a2b3c4d`."""
    checkpoints: tuple[Annotated[str, Field(pattern=r"^(all|[0-9]{1,12})$")], ...] = ()
    """Steps of the training whose checkpoints are judged beside the model itself, or `all` that are there."""
    seed: NonNegativeInt = 0
    """Seed of everything that the evaluation draws."""
    run: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    """Name under which the figures are collected; the model's by default."""
    force: bool = False
    """Do again what is done already, and put it in the place of what is there."""
    problems_per_slice: int = Field(50, gt=0, le=1_000_000)
    """Planning problems that a worker solves before they are committed: units of more are divided among workers, and a
    killed evaluation does no more than that again. It changes no figure of a planner that plans each problem alone."""
    workers: int = Field(2, gt=0, le=4096)
    """Units, or slices of them, that are worked on at once; by default 1 where `executor` is `local`."""
    executor: Executor = "ray"
    """`ray` evaluates in actors of the cluster, `local` in this process, or in several of this machine."""
    cpus: PositiveFloat = 1.0
    """Cores that Ray reserves for each worker."""
    device: Device = "auto"
    """`auto` takes a GPU where a worker has one."""

    @model_validator(mode="before")
    @classmethod
    def _one_local_worker(cls, value: Any) -> Any:
        return one_local_worker(value)

    @field_validator("kinds")
    @classmethod
    def _kinds_are_known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            EVALUATIONS.check(kind)
        if not kinds:
            raise ValueError(f"name at least one of: {', '.join(EVALUATIONS)}")
        return tuple(dict.fromkeys(kinds))

    @field_validator("shift", mode="before")
    @classmethod
    def _shifts_as_written(cls, shift: Any) -> Any:
        """Takes `0.1,0.3` for the values, and one alone, as a command line or a form gives them."""
        if not isinstance(shift, Mapping):
            return shift
        return {name: _numbers(str(name), values) for name, values in shift.items()}

    @model_validator(mode="after")
    def _shifts_stand_alone(self) -> "EvaluateConfig":
        if self.shift and self.problems is not None:
            raise ValueError("shift draws problems of its own in each shifted world; leave problems out")
        if self.shift and self.checkpoints:
            raise ValueError("shift judges the finished model; leave checkpoints out")
        if self.shift_episodes is not None and not self.shift:
            raise ValueError("shift_episodes is given and shift is not; name factors, e.g. shift door=0.1,0.15")
        return self

    @field_validator("problems")
    @classmethod
    def _problems_are_a_digest_or_a_file(cls, problems: str | None) -> str | None:
        if problems is not None and re.fullmatch(r"[0-9a-f]{4,64}|.+\.parquet", problems) is None:
            raise ValueError("give four digits or more of a manifest's digest, or the path of a .parquet file")
        return problems

    @field_validator("protocol")
    @classmethod
    def _protocol_is_known(cls, protocol: str | None) -> str | None:
        # The package's own protocols are right, and reading one imports torch.
        if protocol is not None and protocol not in protocol_names():
            get_protocol(protocol)
        return protocol

    @property
    def run_name(self) -> str:
        """The run's name, given or the model's."""
        return self.run or split_model(self.model)[0]


def _numbers(factor: str, values: Any) -> tuple[float, ...]:
    """Returns the values of a factor that are given as text with commas, as a list or as one alone."""
    given = values.split(",") if isinstance(values, str) else values if isinstance(values, list | tuple) else [values]
    try:
        found = tuple(float(str(value)) for value in given)
    except ValueError:
        raise ValueError(f"{factor} is {values!r}; give numbers with commas between, e.g. 0.1,0.3") from None
    if not found or not all(map(math.isfinite, found)):
        raise ValueError(f"{factor} is {values!r}; give numbers with commas between, e.g. 0.1,0.3")
    if twice := [value for value in found if found.count(value) > 1]:
        raise ValueError(f"{factor} names {twice[0]:g} twice; leave one of them")
    return found
