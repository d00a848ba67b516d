"""Planning problems: a start, and a goal some steps later in the same held-out episode.

Shapes: M pairs of rows of an episode, d dimensions of a quantity.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode, EpisodeSource
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.planning.planner import Problem
from jepa.worlds.world import WORLDS, World, make_world

SCANNED_EPISODES_PER_PROBLEM = 10
"""How many episodes are looked at for each problem wanted; a larger split is not read to its end."""


def draw_problems(
    source: EpisodeSource, split: str, goal_kind: str, count: int, ahead: int, seed: int
) -> list[Problem]:
    """Returns up to `count` problems, spread over as many episodes as there are.

    Every episode gives one start row, uniform over those that make a problem of the kind; only when all episodes have
    given one does any give a second. Which problems come out depends on the arguments and the source alone.

    Args:
        source: where the episodes are held.
        split: whose episodes to use.
        goal_kind: a name of the world's `goal_kinds`.
        count: problems wanted; fewer come back where the split has fewer.
        ahead: environment steps from the start to the goal.
        seed: of the draw.

    Raises:
        InputError: no pair of rows in the split makes such a problem.
    """
    chosen = _choose_rows(source, split, goal_kind, count, ahead, seed)
    if not chosen:
        raise InputError(
            f"split {split!r} has no planning problem of goal kind {goal_kind!r} with a goal {ahead} environment "
            "steps ahead; collect more or longer episodes"
        )
    problems, kind = {}, WORLDS.get(source.world)
    for episode in _scanned(source, split, count):
        for number, row in chosen.get(episode.index, ()):
            problems[number] = _problem(kind, episode, number, row, goal_kind, ahead, seed)
    return [problems[number] for number in sorted(problems)]


def has_problem(source: EpisodeSource, split: str, goal_kind: str, count: int, ahead: int) -> bool:
    """Returns whether `draw_problems` would find any, looking no further than the first."""
    with_rows = (rows for _, rows in _candidates(source, split, goal_kind, count, ahead) if len(rows))
    return next(with_rows, None) is not None


def _scanned(source: EpisodeSource, split: str, count: int) -> Iterator[Episode]:
    return source.episodes(split, limit=SCANNED_EPISODES_PER_PROBLEM * count)


def _candidates(
    source: EpisodeSource, split: str, goal_kind: str, count: int, ahead: int
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yields each episode's index and the rows from which a problem of the kind can start."""
    world = make_world(source.world, 1, **source.world_options)
    try:
        for episode in _scanned(source, split, count):
            yield episode.index, _start_rows(world, episode, goal_kind, ahead)
    finally:
        world.close()


def _start_rows(world: World, episode: Episode, goal_kind: str, ahead: int) -> NDArray[np.int64]:
    pairs = episode.steps + 1 - ahead
    if pairs < 1:
        return np.zeros(0, dtype=np.int64)
    start = {name: value[:pairs] for name, value in episode.state.items()}
    goal = {name: value[ahead:] for name, value in episode.state.items()}
    return np.flatnonzero(world.is_goal_of_kind(goal_kind, start, goal))


def _choose_rows(
    source: EpisodeSource, split: str, goal_kind: str, count: int, ahead: int, seed: int
) -> dict[int, list[tuple[int, int]]]:
    """Returns (problem number, start row) pairs by episode index."""
    ranked = []
    for index, row_M in _candidates(source, split, goal_kind, count, ahead):
        rng = numpy_generator(seed, "start rows", goal_kind, index)
        # Sorting by the turn first is what makes every episode give one row before any gives two.
        ranked += [(turn, rng.random(), index, int(row)) for turn, row in enumerate(rng.permutation(row_M)[:count])]
    chosen: dict[int, list[tuple[int, int]]] = {}
    for number, (_, _, index, row) in enumerate(sorted(ranked)[:count]):
        chosen.setdefault(index, []).append((number, row))
    return chosen


def _problem(
    world: type[World], episode: Episode, number: int, row: int, goal_kind: str, ahead: int, seed: int
) -> Problem:
    return Problem(
        number=number,
        split=episode.split,
        goal_kind=goal_kind,
        episode=episode.index,
        start_row=row,
        seed=derive_seed(seed, "problem", goal_kind, episode.index, row),
        start=world.state_at(episode, row),
        goal=world.state_at(episode, row + ahead),
        start_pixels=episode.pixels[row].copy(),
        goal_pixels=episode.pixels[row + ahead].copy(),
    )
