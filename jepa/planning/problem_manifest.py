"""Which problems an evaluation of planning solves, as data: drawn once, then judged with any model.

A manifest holds states, rows of episodes and seeds, and no pixels: those are read again from the episodes, whose
dataset it names. Its digest is that of its content, the same on every machine and in whatever file it lies.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jepa.core.config import digest_of
from jepa.core.episodes import State


@dataclass(frozen=True)
class DrawnProblem:
    """A start and a goal without their frames, in one episode or of two; states are float32 (d,) by quantity."""

    number: int
    """among those of its split, goal kind and offset"""
    split: str
    goal_kind: str
    offset: int
    """environment steps from the start to the goal; of a stitched problem those that the shortest way may take"""
    episode: int
    """of the start, and unless it is stitched of the goal"""
    start_row: int
    seed: int
    start: State
    goal: State
    goal_episode: int | None = None
    """of a stitched problem, the other episode that the goal is taken from"""
    goal_row: int | None = None
    """its row there; None as the episode is, where the goal is `offset` rows after the start"""

    @property
    def stitched(self) -> bool:
        """Returns whether start and goal are of different episodes."""
        return self.goal_episode is not None

    @property
    def group(self) -> tuple[str, str, int]:
        """Returns split, goal kind and offset."""
        return self.split, self.goal_kind, self.offset


@dataclass(frozen=True)
class ProblemManifest:
    """The problems of one evaluation, all groups of them, and what they were drawn from."""

    world: str
    image_size: int
    """side of the frames that models are shown, in pixels"""
    seed: int
    """of the draw"""
    problems: tuple[DrawnProblem, ...]
    dataset: str = ""
    """`d0@1`, where the episodes lie in a store"""
    dataset_digest: str = ""
    """digest of that version's content"""

    def __repr__(self) -> str:
        return f"<{len(self.problems)} problems of {self.world} from {self.dataset or 'memory'}: {self.digest[:8]}>"

    @cached_property
    def digest(self) -> str:
        """Returns the SHA-256 of all that is in the manifest but the dataset's name, in hexadecimal."""
        return digest_of(
            {
                "world": self.world,
                "image_size": self.image_size,
                "seed": self.seed,
                "dataset_digest": self.dataset_digest,
                "problems": [_content(one) for one in self.problems],
            }
        )

    @property
    def stitched(self) -> bool:
        """Returns whether start and goal of its problems are of different episodes."""
        return any(one.stitched for one in self.problems)

    @cached_property
    def groups(self) -> dict[tuple[str, str, int], list[DrawnProblem]]:
        """Returns the problems by split, goal kind and offset."""
        found: dict[tuple[str, str, int], list[DrawnProblem]] = {}
        for one in self.problems:
            found.setdefault(one.group, []).append(one)
        return found


def same_states(state: State, other: State) -> bool:
    """Returns whether two states have the same quantities with the same values, bit by bit."""
    return state.keys() == other.keys() and all(
        np.array_equal(state[name], other[name], equal_nan=True) for name in state
    )


def _content(one: DrawnProblem) -> list[Any]:
    """Returns what the digest holds of a problem; one within an episode has the digest that it had before stitching."""
    content = [*one.group, one.number, one.episode, one.start_row, one.seed, _plain(one.start), _plain(one.goal)]
    return [*content, one.goal_episode, one.goal_row] if one.stitched else content


def _plain(state: State) -> dict[str, list[float]]:
    """Returns a state as JSON holds it; a float32 is its shortest decimal as a float64, so that nothing is lost."""
    return {name: [float(value) for value in np.ravel(state[name])] for name in sorted(state)}
