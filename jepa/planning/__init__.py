"""Planning: planners by name, and their execution in the true world."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from jepa.planning.costs.cost import COSTS, PlanCost, make_cost
    from jepa.planning.cross_entropy import CEMConfig, minimise
    from jepa.planning.execution import Execution, execute
    from jepa.planning.planner import PLANNERS, Plan, Planner, PlanningSetting, Problem, Situation, make_planner
    from jepa.planning.planners.cem import LatentCEM, LatentCEMConfig
    from jepa.planning.planners.gradient import GradientConfig, LatentGradient
    from jepa.planning.planners.icem import ICEMConfig, LatentICEM
    from jepa.planning.planners.mppi import LatentMPPI, MPPIConfig
    from jepa.planning.planners.oracle import Oracle, OracleConfig
    from jepa.planning.planners.random import RandomConfig, RandomPlanner
    from jepa.planning.planners.shooting import LatentShooting, ShootingConfig
    from jepa.planning.search.latent import LatentSearch, LatentSearchConfig
    from jepa.planning.search.task import Found, SearchTask

__all__ = [
    "COSTS",
    "PLANNERS",
    "CEMConfig",
    "Execution",
    "Found",
    "GradientConfig",
    "ICEMConfig",
    "LatentCEM",
    "LatentCEMConfig",
    "LatentGradient",
    "LatentICEM",
    "LatentMPPI",
    "LatentSearch",
    "LatentSearchConfig",
    "LatentShooting",
    "MPPIConfig",
    "Oracle",
    "OracleConfig",
    "Plan",
    "PlanCost",
    "Planner",
    "PlanningSetting",
    "Problem",
    "RandomConfig",
    "RandomPlanner",
    "SearchTask",
    "ShootingConfig",
    "Situation",
    "execute",
    "make_cost",
    "make_planner",
    "minimise",
]

offer_lazily(__name__)
