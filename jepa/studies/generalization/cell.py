"""The fields of a cell; an experiment reads those that it needs."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from jepa.studies.generalization.tabular.worlds import WorldName
from jepa.studies.study import Cell

Experiment = Literal["constant", "regret", "horizon", "spectral", "tradeoff", "bridge", "point_mass"]

OWN_WORLDS = {"bridge": "ornstein_uhlenbeck", "point_mass": "point_mass"}
"""Worlds of experiments that have no other."""


class GeneralizationCell(Cell):
    """One world, one model and one seed."""

    experiment: Experiment
    """Which of the study's experiments it belongs to."""
    world: WorldName | Literal["ornstein_uhlenbeck", "point_mass"] = "ring"
    """Tabular world; `bridge` and `point_mass` have their own, whatever is given."""
    states: PositiveInt = 24
    """States of the tabular world."""
    width: PositiveFloat = 1.5
    """Standard deviation of the noise of the ring and the torus, in states."""
    k: PositiveInt = 5
    """Latent dimensions."""
    samples: NonNegativeInt = 0
    """Pairs of each action from which the model is estimated; 0 stands for the exact optimum."""
    horizon: PositiveInt = 1
    """Most steps of a plan."""
    steps: PositiveInt = 1000
    """Updates of the model."""
    rho: float = Field(0.8, gt=0, lt=1)
    """Correlation of the Ornstein-Uhlenbeck process."""
    noise: NonNegativeFloat = 0.0
    """Standard deviation of the point mass's dimensions of pure noise."""

    @model_validator(mode="before")
    @classmethod
    def _take_own_world(cls, value: Any) -> Any:
        own = OWN_WORLDS.get(str(value.get("experiment"))) if isinstance(value, Mapping) else None
        return value if own is None else {**value, "world": own}
