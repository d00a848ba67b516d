"""Objectives: what training minimises, each under a name; see `objective.py` for what one is."""

from jepa.objectives.objective import OBJECTIVES, Objective, make_objective, objective_config

__all__ = ["OBJECTIVES", "Objective", "make_objective", "objective_config"]
