"""How much of a world its episodes saw: the share of the scene that was visited, and how often things were moved.

Shapes: T steps, d dimensions of a quantity, G cells along each side of the grid.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from jepa.worlds.world import WorldSpec

GRID = 20
"""Cells along each side of the scene."""


@dataclass(frozen=True)
class Coverage:
    """What some episodes covered; `a + b` is what both together did."""

    visited_GG: NDArray[np.bool_] | None
    """Cells of the scene in which `path_quantity` was seen, y before x; None where the world has no such quantity."""
    moved_steps: Mapping[str, int]
    """Steps in which each of the world's `objects` moved."""
    steps: int

    def __add__(self, other: "Coverage") -> "Coverage":
        """Returns the coverage of both; those of one world go together."""
        visited = None
        if self.visited_GG is not None and other.visited_GG is not None:
            visited = self.visited_GG | other.visited_GG
        moved = {name: count + other.moved_steps[name] for name, count in self.moved_steps.items()}
        return Coverage(visited, moved, self.steps + other.steps)

    @property
    def visited_share(self) -> float | None:
        """Returns the share of the grid's cells that were visited, walls included."""
        return None if self.visited_GG is None else float(self.visited_GG.mean())

    def moved_share(self, name: str) -> float:
        """Returns the share of the steps in which an object moved."""
        return self.moved_steps[name] / max(self.steps, 1)


def coverage(states: Iterable[Mapping[str, NDArray[np.float32]]], spec: WorldSpec) -> Coverage:
    """Returns what the episodes with these states, (T+1, d) by quantity, covered of the world."""
    nothing = Coverage(_grid(spec), dict.fromkeys(spec.objects, 0), 0)
    return reduce(Coverage.__add__, (_episode_coverage(state, spec) for state in states), nothing)


def _episode_coverage(state: Mapping[str, NDArray[np.float32]], spec: WorldSpec) -> Coverage:
    moved = {
        name: int((np.linalg.norm(np.diff(state[name], axis=0), axis=1) > least).sum())
        for name, least in spec.objects.items()
    }
    visited = _grid(spec)
    if visited is not None and spec.path_quantity is not None and spec.frame_extent is not None:
        left, right, bottom, top = spec.frame_extent
        path = np.asarray(state[spec.path_quantity], dtype=np.float64)[:, :2]
        share = (path - [left, bottom]) / [right - left, top - bottom]
        # What leaves the picture is counted at its edge.
        x, y = np.clip(share * GRID, 0, GRID - 1).astype(np.int64).T
        visited[y, x] = True
    return Coverage(visited, moved, len(next(iter(state.values()))) - 1)


def _grid(spec: WorldSpec) -> NDArray[np.bool_] | None:
    has_scene = spec.path_quantity is not None and spec.frame_extent is not None
    return np.zeros((GRID, GRID), dtype=bool) if has_scene else None
