"""What an evaluation is asked to do: a model, held-out episodes, and the kinds of judgement."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from jepa.core.config import Config
from jepa.evaluation import EVALUATIONS, get_protocol


class EvaluateConfig(Config):
    """A judgement of one model."""

    model: str = Field(min_length=1)
    """Name of the model in the store."""
    dataset: str | None = None
    """Dataset whose held-out episodes are used; the one that the model was trained on by default."""
    kinds: tuple[str, ...] = ("probing", "planning", "surprise", "latent")
    """Kinds of evaluation."""
    protocol: str | None = None
    """Named, versioned set-up, or the path of a YAML file with one; by default that which the world declares."""
    seed: NonNegativeInt = 0
    """Seed of everything that the evaluation draws."""
    run: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    """Id that the report rows carry; the model's name by default."""
    workers: PositiveInt = 2
    """Units that are worked on at once."""
    executor: Literal["ray", "local"] = "ray"
    """`ray` evaluates in actors of the cluster, `local` in processes of this machine."""

    @field_validator("kinds")
    @classmethod
    def _kinds_are_known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            EVALUATIONS.get(kind)
        if not kinds:
            raise ValueError(f"name at least one of: {', '.join(EVALUATIONS)}")
        return tuple(dict.fromkeys(kinds))

    @field_validator("protocol")
    @classmethod
    def _protocol_is_known(cls, protocol: str | None) -> str | None:
        if protocol is not None:
            get_protocol(protocol)
        return protocol
