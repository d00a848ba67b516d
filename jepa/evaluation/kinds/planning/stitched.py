"""Stitched problems: the start of one held-out episode and the goal of another, which no recording joins.

The goal is set up in the start's world (`goal_in_world_of`). Where the world knows its shortest ways and how fast they
can be gone, a pair is kept whose way takes no more steps than the offset, and no less than half of them: the budget, a
multiple of the offset, is then enough, and the goal is not next to the start. Elsewhere any pair may do, and which
goals can be reached is the oracle's answer.
Shapes: N rows of all episodes, M pairs, P problems.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode, State
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.evaluation.kinds.planning.selection import Selection, is_solved
from jepa.planning.execution import stack_states
from jepa.planning.planner import Problem
from jepa.planning.problem_manifest import DrawnProblem
from jepa.worlds.stitching import goal_in_world_of, shortest_steps
from jepa.worlds.world import World

TRIED = 256
"""Pairs that are tried for one problem; an episode none of whose pairs fits gives none in that turn."""
NEAREST = 0.5
"""Share of the offset that the shortest way must take at least, where the world knows it."""


def draw_stitched(
    world: World, episodes: Sequence[Episode], goal_kind: str, offset: int, selection: Selection
) -> list[DrawnProblem]:
    """Returns the problems of one goal kind and offset in the order of their numbers.

    As within episodes, every episode gives one start before any gives two. Goals are uniform over the rows of the
    others that fit. Which come out depends on the arguments alone.

    Args:
        world: one copy.
        episodes: of one split; fewer than two give no problem.
        goal_kind: a name of the world's `goal_kinds`.
        offset: environment steps that the shortest way may take.
        selection: how many, and which.
    """
    drawn: list[DrawnProblem] = []
    if len(episodes) < 2:
        return drawn
    rows = _Rows.of(episodes)
    used: set[tuple[int, int, int, int | None]] = set()
    for turn in range(1 if selection.one_pair_an_episode else selection.count):
        before = len(drawn)
        order = numpy_generator(selection.seed, "stitched order", goal_kind, offset, turn)
        for place in order.permutation(len(episodes)):
            if len(drawn) == selection.count:
                return drawn
            seed = derive_seed(selection.seed, "stitched", goal_kind, offset, episodes[place].index, turn)
            for one in _fitting(world, episodes, rows, int(place), _Wanted(len(drawn), goal_kind, offset, seed)):
                key = one.episode, one.start_row, one.goal_episode or 0, one.goal_row
                solved = selection.remove_solved and is_solved(world, one, selection.success_kind)
                if key not in used and not solved:
                    used.add(key)
                    drawn.append(one)
                    break
        if len(drawn) == before:
            break
    return drawn


def known_steps(
    world: type[World], problems: Sequence[Problem], offset: int, speed: float | None = None
) -> NDArray[np.float64]:
    """Returns in how many environment steps each goal is known to be reached, (P,), infinity where nobody knows.

    Within an episode the recording shows it; of stitched problems the shortest way tells, where the world knows it, at
    the world's `speed` or at that of a shifted one.
    """
    if problems[0].goal_episode is None:
        return np.full(len(problems), float(offset))
    start, goal = stack_states([one.start for one in problems]), stack_states([one.goal for one in problems])
    steps_P = shortest_steps(world, start, goal, speed)
    return np.full(len(problems), np.inf) if steps_P is None else np.ceil(steps_P)


def steps_fit(world: World, start: State, goal: State, offset: int) -> NDArray[np.bool_]:
    """Returns for which of M pairs (M, d) the shortest way fits an offset, (M,); all do where no way is known."""
    steps_M = shortest_steps(world, start, goal)
    if steps_M is None:
        return np.ones(len(next(iter(start.values()))), dtype=bool)
    return (steps_M >= NEAREST * offset) & (steps_M <= offset)


class _Wanted(NamedTuple):
    """What a problem that is looked for has already."""

    number: int
    goal_kind: str
    offset: int
    seed: int


class _Rows(NamedTuple):
    """The recorded states of all episodes, one after the other."""

    state: State
    """(N, d) by quantity"""
    first: NDArray[np.int64]
    """where each episode begins, and the end of the last"""

    @classmethod
    def of(cls, episodes: Sequence[Episode]) -> "_Rows":
        first = np.cumsum([0, *(episode.steps + 1 for episode in episodes)])
        names = episodes[0].state
        return cls({name: np.concatenate([episode.state[name] for episode in episodes]) for name in names}, first)


def _fitting(
    world: World, episodes: Sequence[Episode], rows: _Rows, place: int, wanted: _Wanted
) -> Iterator[DrawnProblem]:
    """Yields problems that start in one episode, in an order drawn from the seed; both rows have a frame."""
    episode, rng = episodes[place], numpy_generator(wanted.seed, "pairs")
    low, high, every = rows.first[place], rows.first[place + 1], episode.frame_every
    # The last row of an episode may be its end, in which no action counts.
    start_M = low + every * rng.integers(max(-(-episode.steps // every), 1), size=TRIED)
    goal_M = rng.integers(rows.first[-1] - (high - low), size=TRIED)
    goal_M = np.where(goal_M >= low, goal_M + (high - low), goal_M)
    start = {name: value[start_M] for name, value in rows.state.items()}
    goal = goal_in_world_of(world.world_spec, start, {name: value[goal_M] for name, value in rows.state.items()})
    fits_M = world.is_goal_of_kind(wanted.goal_kind, start, goal) & steps_fit(world, start, goal, wanted.offset)
    for pair in np.flatnonzero(fits_M):
        at = int(np.searchsorted(rows.first, goal_M[pair], side="right")) - 1
        goal_row = int(goal_M[pair] - rows.first[at])
        if goal_row % every:
            continue
        one = _drawn(world, episode, int(start_M[pair] - low), episodes[at], goal_row, wanted)
        world.restore({name: value[None] for name, value in one.goal.items()})
        if world.possible()[0]:
            yield one


def _drawn(
    world: World, episode: Episode, start_row: int, goal_episode: Episode, goal_row: int, wanted: _Wanted
) -> DrawnProblem:
    start = type(world).state_at(episode, start_row)
    return DrawnProblem(
        number=wanted.number,
        split=episode.split,
        goal_kind=wanted.goal_kind,
        offset=wanted.offset,
        episode=episode.index,
        start_row=start_row,
        seed=wanted.seed,
        start=start,
        goal=goal_in_world_of(world.world_spec, start, type(world).state_at(goal_episode, goal_row)),
        goal_episode=goal_episode.index,
        goal_row=goal_row,
    )
