"""Which pairs of a start and a goal may make a planning problem, and how many are wanted."""

from dataclasses import dataclass
from typing import Literal

from jepa.planning.problem_manifest import DrawnProblem
from jepa.worlds.success import USUAL
from jepa.worlds.world import World

Pairs = Literal["episode", "stitched"]


@dataclass(frozen=True)
class Selection:
    """How many problems are drawn of each group, and which pairs of rows may make one."""

    count: int
    """problems wanted; there are fewer where the split has fewer"""
    seed: int
    """of the draw"""
    one_pair_an_episode: bool = False
    """whether no episode gives a second start"""
    remove_solved: bool = False
    """whether a pair whose start meets its goal already is left out"""
    success_kind: str = USUAL
    """the test by which it does"""
    legal_route: bool = False
    """whether a pair is left out between whose rows the recording breaks the world's rules (`World.legal_moves`)"""
    pairs: Pairs = "episode"
    """whether start and goal are rows of one episode, or of two"""


def is_solved(world: World, one: DrawnProblem, success_kind: str) -> bool:
    """Returns whether the start meets the goal, in a world of one copy."""
    world.restore({name: value[None] for name, value in one.start.items()})
    goal = {name: value[None] for name, value in one.goal.items()}
    return bool(world.meets(goal, one.goal_kind, success_kind)[0])
