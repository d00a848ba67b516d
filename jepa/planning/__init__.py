"""Planning: planners by name, and their execution in the true world."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from jepa.planning.costs.cost import COSTS, PlanCost, make_cost
    from jepa.planning.cross_entropy import CEMConfig, minimise
    from jepa.planning.execution import Execution, execute
    from jepa.planning.planner import PLANNERS, Plan, Planner, PlanningSetting, Problem, Situation, make_planner
    from jepa.planning.planners.cem import LatentCEM, LatentCEMConfig
    from jepa.planning.planners.oracle import Oracle, OracleConfig
    from jepa.planning.planners.random import RandomConfig, RandomPlanner

__all__ = [
    "COSTS",
    "PLANNERS",
    "CEMConfig",
    "Execution",
    "LatentCEM",
    "LatentCEMConfig",
    "Oracle",
    "OracleConfig",
    "Plan",
    "PlanCost",
    "Planner",
    "PlanningSetting",
    "Problem",
    "RandomConfig",
    "RandomPlanner",
    "Situation",
    "execute",
    "make_cost",
    "make_planner",
    "minimise",
]

offer_lazily(__name__)
