"""What an evaluation is asked to do: a model, held-out episodes, and the kinds of judgement."""

import re
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveFloat, field_validator, model_validator

from jepa.core.config import Config
from jepa.core.registries.choices import Choices
from jepa.evaluation import EVALUATIONS, get_protocol, protocol_names
from pipelines.device import Device
from pipelines.executor import Executor
from pipelines.executor.defaults import one_local_worker
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
