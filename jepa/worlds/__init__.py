"""Worlds, the behaviours that act in them, and the rollouts of both; importing this fills the registries."""

from jepa.worlds import (
    any_gymnasium,
    cube,
    cube_expert,
    oracle_behaviour,
    pusht,
    pusht_behaviours,
    pusht_expert,
    reacher,
    swm_two_room,
    two_room,
    two_room_expert,
)
from jepa.worlds.behaviours import BEHAVIOURS, Behaviour, make_behaviour
from jepa.worlds.coverage import Coverage, coverage
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
    "any_gymnasium",
    "collect_episodes",
    "coverage",
    "cube",
    "cube_expert",
    "make_behaviour",
    "make_world",
    "oracle_behaviour",
    "pusht",
    "pusht_behaviours",
    "pusht_expert",
    "reacher",
    "swm_two_room",
    "two_room",
    "two_room_expert",
]
