"""Worlds, the policies that act in them, and the rollouts of both."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from jepa.worlds.coverage import Coverage, coverage
    from jepa.worlds.declarations import Factor, GoalKind, Quantity, Shift
    from jepa.worlds.perturbations import Perturbation
    from jepa.worlds.policies import POLICIES, Policy, make_policy
    from jepa.worlds.registry import WORLDS
    from jepa.worlds.rollout import EpisodePlan, collect_episodes
    from jepa.worlds.shifts import find_shift, shifts_of
    from jepa.worlds.success import SuccessKind, first_success
    from jepa.worlds.world import World, WorldSpec, declared_options, make_world

__all__ = [
    "POLICIES",
    "WORLDS",
    "Coverage",
    "EpisodePlan",
    "Factor",
    "GoalKind",
    "Perturbation",
    "Policy",
    "Quantity",
    "Shift",
    "SuccessKind",
    "World",
    "WorldSpec",
    "collect_episodes",
    "coverage",
    "declared_options",
    "find_shift",
    "first_success",
    "make_policy",
    "make_world",
    "shifts_of",
]

offer_lazily(__name__)
