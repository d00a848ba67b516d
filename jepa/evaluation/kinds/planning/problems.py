"""Planning problems: a start, and a goal some steps later in the same held-out episode.

Shapes: M pairs of rows of an episode, d dimensions of a quantity.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode, EpisodeSource, chosen_episodes
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.planning.planner import Problem
from jepa.planning.problem_manifest import DrawnProblem, same_states
from jepa.worlds.success import USUAL
from jepa.worlds.world import WORLDS, World, make_world

SCANNED_EPISODES_PER_PROBLEM = 10
"""How many episodes are looked at for each problem wanted; a larger split is not read to its end."""


@dataclass(frozen=True)
class Selection:
    """How many problems are drawn of each group, and which pairs of rows may make one."""

    count: int
    """problems wanted; there are fewer where the split has fewer"""
    seed: int
    """of the draw"""
    one_pair_an_episode: bool = False
    """whether no episode gives a second problem"""
    remove_solved: bool = False
    """whether a pair whose start meets its goal already is left out"""
    success_kind: str = USUAL
    """the test by which it does"""


class Drawn(NamedTuple):
    """What was drawn of a split."""

    problems: list[DrawnProblem]
    image_size: int
    """side of its frames, in pixels"""
    longest: int
    """steps of the longest episode that was looked at"""


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
    drawn = draw(source, split, [(goal_kind, ahead)], Selection(count, seed)).problems
    require_drawn(drawn, split, goal_kind, ahead)
    return with_frames(drawn, source)


def require_drawn(drawn: Sequence[DrawnProblem], split: str, goal_kind: str, ahead: int) -> None:
    """Passes where problems were drawn.

    Raises:
        InputError: there are none.
    """
    if not drawn:
        raise InputError(
            f"split {split!r} has no planning problem of goal kind {goal_kind!r} with a goal {ahead} environment "
            "steps ahead; collect more or longer episodes"
        )


def draw(source: EpisodeSource, split: str, groups: Sequence[tuple[str, int]], selection: Selection) -> Drawn:
    """Returns the problems of a split, of several goal kinds and offsets; see above."""
    image_size, episodes = 0, []
    for episode in _scanned(source, split, selection.count):
        image_size = episode.pixels.shape[1]
        # What is drawn depends on states and actions; the frames of all episodes would fill the memory.
        episodes.append(replace(episode, pixels=episode.pixels[:0].copy()))
    drawn: list[DrawnProblem] = []
    with closing(make_world(source.world, 1, **source.world_options)) as world:
        for goal_kind, offset in groups:
            drawn += _draw_group(world, episodes, goal_kind, offset, selection)
    return Drawn(drawn, image_size, max((episode.steps for episode in episodes), default=0))


def with_frames(drawn: Sequence[DrawnProblem], source: EpisodeSource) -> list[Problem]:
    """Returns problems of one split with the frames of their episodes.

    Raises:
        InputError: the source lacks an episode, or holds another one in its place.
    """
    wanted: dict[int, list[DrawnProblem]] = {}
    for one in drawn:
        wanted.setdefault(one.episode, []).append(one)
    found: dict[int, Problem] = {}
    kind = WORLDS.get(source.world)
    for episode in chosen_episodes(source, drawn[0].split, set(wanted)):
        for one in wanted.pop(episode.index, ()):
            found[one.number] = _problem(kind, episode, one)
        if not wanted:
            return [found[number] for number in sorted(found)]
    raise InputError(
        f"the problems name episode {min(wanted)}, which split {drawn[0].split!r} of the dataset lacks; "
        "judge with the dataset that they were drawn from"
    )


def has_problem(source: EpisodeSource, split: str, goal_kind: str, count: int, ahead: int) -> bool:
    """Returns whether `draw_problems` would find any, looking no further than the first."""
    with closing(make_world(source.world, 1, **source.world_options)) as world:
        rows = (_start_rows(world, episode, goal_kind, ahead) for episode in _scanned(source, split, count))
        return any(len(row_M) > 0 for row_M in rows)


def _scanned(source: EpisodeSource, split: str, count: int) -> Iterator[Episode]:
    return source.episodes(split, limit=SCANNED_EPISODES_PER_PROBLEM * count)


def _start_rows(world: World, episode: Episode, goal_kind: str, ahead: int) -> NDArray[np.int64]:
    pairs = episode.steps + 1 - ahead
    if pairs < 1:
        return np.zeros(0, dtype=np.int64)
    start = {name: value[:pairs] for name, value in episode.state.items()}
    goal = {name: value[ahead:] for name, value in episode.state.items()}
    return np.flatnonzero(world.is_goal_of_kind(goal_kind, start, goal))


def _draw_group(
    world: World, episodes: Sequence[Episode], goal_kind: str, offset: int, selection: Selection
) -> list[DrawnProblem]:
    """Returns the problems of one goal kind and offset in the order of their numbers."""
    ranked = []
    for place, episode in enumerate(episodes):
        rng = numpy_generator(selection.seed, "start rows", goal_kind, episode.index)
        row_M = rng.permutation(_start_rows(world, episode, goal_kind, offset))[: selection.count]
        # Sorting by the turn first is what makes every episode give one row before any gives two.
        ranked += [(turn, rng.random(), episode.index, int(row), place) for turn, row in enumerate(row_M)]
    drawn: list[DrawnProblem] = []
    used: set[int] = set()
    for _, _, index, row, place in sorted(ranked):
        if len(drawn) == selection.count:
            break
        if selection.one_pair_an_episode and index in used:
            continue
        one = _drawn(world, episodes[place], len(drawn), row, goal_kind, offset, selection.seed)
        if not (selection.remove_solved and _is_solved(world, one, selection.success_kind)):
            drawn.append(one)
            used.add(index)
    return drawn


def _drawn(
    world: World, episode: Episode, number: int, row: int, goal_kind: str, offset: int, seed: int
) -> DrawnProblem:
    return DrawnProblem(
        number=number,
        split=episode.split,
        goal_kind=goal_kind,
        offset=offset,
        episode=episode.index,
        start_row=row,
        seed=derive_seed(seed, "problem", goal_kind, episode.index, row),
        start=type(world).state_at(episode, row),
        goal=type(world).state_at(episode, row + offset),
    )


def _is_solved(world: World, one: DrawnProblem, success_kind: str) -> bool:
    """Returns whether the start meets the goal, in a world of one copy."""
    world.restore({name: value[None] for name, value in one.start.items()})
    goal = {name: value[None] for name, value in one.goal.items()}
    return bool(world.meets(goal, one.goal_kind, success_kind)[0])


def _problem(world: type[World], episode: Episode, one: DrawnProblem) -> Problem:
    row, goal_row = one.start_row, one.start_row + one.offset
    held = {} if goal_row > episode.steps else world.state_at(episode, row)
    if not same_states(held, one.start):
        raise InputError(
            f"problem {one.number} starts in another state than row {row} of episode {episode.index} of the dataset; "
            "judge with the dataset that the problems were drawn from"
        )
    return Problem(
        number=one.number,
        split=one.split,
        goal_kind=one.goal_kind,
        episode=one.episode,
        start_row=row,
        seed=one.seed,
        start=one.start,
        goal=one.goal,
        start_pixels=episode.pixels[row].copy(),
        goal_pixels=episode.pixels[goal_row].copy(),
        demonstration_LA=episode.action[row:goal_row].copy(),
    )
