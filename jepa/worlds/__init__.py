"""Worlds, the behaviours that act in them, and the rollouts of both."""

from jepa.worlds.coverage import Coverage, coverage
from jepa.worlds.policies import BEHAVIOURS, Behaviour, make_behaviour
from jepa.worlds.rollout import EpisodePlan, collect_episodes
from jepa.worlds.world import WORLDS, Factor, Quantity, World, WorldSpec, make_world

__all__ = [
    "BEHAVIOURS",
    "WORLDS",
    "Behaviour",
    "Coverage",
    "EpisodePlan",
    "Factor",
    "Quantity",
    "World",
    "WorldSpec",
    "collect_episodes",
    "coverage",
    "make_behaviour",
    "make_world",
]
