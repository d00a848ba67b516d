"""Objectives: what training minimises, each under a name; see `objective.py` for what one is."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from jepa.objectives.objective import Objective, make_objective, objective_config
    from jepa.objectives.registry import OBJECTIVES

__all__ = ["OBJECTIVES", "Objective", "make_objective", "objective_config"]

offer_lazily(__name__)
