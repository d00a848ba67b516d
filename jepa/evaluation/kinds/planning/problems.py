"""Planning problems: a start, and a goal some steps later in the same held-out episode, or of another one.

Shapes: M pairs of rows of an episode, d dimensions of a quantity.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode, EpisodeSource, Pixels, State, chosen_episodes
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.evaluation.kinds.planning.config import PlanningConfig
from jepa.evaluation.kinds.planning.selection import Pairs, Selection, is_solved
from jepa.evaluation.kinds.planning.stitched import draw_stitched
from jepa.planning.execution import stack_states
from jepa.planning.planner import Problem
from jepa.planning.problem_manifest import DrawnProblem, same_states
from jepa.worlds.registry import WORLDS
from jepa.worlds.stitching import goal_in_world_of
from jepa.worlds.world import World, make_world

SCANNED_EPISODES_PER_PROBLEM = 10
"""How many episodes are looked at for each problem wanted; a larger split is not read to its end."""


class Drawn(NamedTuple):
    """What was drawn of a split."""

    problems: list[DrawnProblem]
    image_size: int
    """side of its frames, in pixels"""
    longest: int
    """steps of the longest episode that was looked at"""
    episodes: int
    """how many were looked at"""


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


def require_offsets(config: PlanningConfig, protocol: str, held: set[int], drawn: Sequence[Drawn] = ()) -> None:
    """Passes where there are problems at every offset.

    Args:
        config: settings, with the offsets.
        protocol: name of the protocol that they are of.
        held: offsets at which there are problems.
        drawn: what was drawn of each split, where that is known.

    Raises:
        InputError: there are none at one; the message says what lacks.
    """
    lacking = [offset for offset in config.offsets if offset not in held]
    if not lacking:
        return
    offset = lacking[0]
    longest, episodes = (max((getattr(one, what) for one in drawn), default=0) for what in ("longest", "episodes"))
    raise InputError(f"dataset has no {_lacking(config.pairs, offset, protocol, longest, episodes)}")


def _lacking(pairs: Pairs, offset: int, protocol: str, longest: int, episodes: int) -> str:
    """Returns what a dataset lacks where it has no problem at an offset, and the remedy."""
    if pairs == "stitched" and episodes == 1:
        return f"second test episode, which stitched pairs of protocol {protocol!r} need; collect more episodes"
    if pairs == "stitched":
        return (
            f"stitched pair {offset} steps apart, of the goal kinds of protocol {protocol!r}, that is not solved at "
            "its start; collect more episodes, or choose other offsets"
        )
    if longest >= offset:
        return (
            f"planning problem {offset} steps ahead of the goal kinds of protocol {protocol!r} that is not solved at "
            "its start and, where routes must be legal, recorded by a legal one; collect more or longer episodes"
        )
    has = f" (the longest has {longest})" if longest else ""
    return (
        f"test episode of {offset} steps or more{has}, which planning under protocol {protocol!r} needs; collect "
        "more or longer episodes"
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
        draw_group = draw_stitched if selection.pairs == "stitched" else _draw_group
        for goal_kind, offset in groups:
            drawn += draw_group(world, episodes, goal_kind, offset, selection)
    return Drawn(drawn, image_size, max((episode.steps for episode in episodes), default=0), len(episodes))


def with_frames(drawn: Sequence[DrawnProblem], source: EpisodeSource) -> list[Problem]:
    """Returns problems of one split with the frames of their episodes; stitched goals are rendered by the world.

    Raises:
        InputError: the source lacks an episode, or holds another one in its place.
    """
    wanted: dict[int, list[DrawnProblem]] = {}
    for one in drawn:
        for index in {one.episode, one.episode if one.goal_episode is None else one.goal_episode}:
            wanted.setdefault(index, []).append(one)
    found: dict[int, Problem] = {}
    goals: dict[int, State] = {}
    kind = WORLDS.get(source.world)
    for episode in chosen_episodes(source, drawn[0].split, set(wanted)):
        for one in wanted.pop(episode.index, ()):
            if one.goal_episode == episode.index:
                goals[one.number] = _state_at(kind, episode, one.goal_row or 0)
            if one.episode == episode.index:
                found[one.number] = _problem(kind, episode, one)
        if not wanted:
            problems = [found[number] for number in sorted(found)]
            return _with_stitched_goals(problems, goals, source) if goals else problems
    raise InputError(
        f"the problems name episode {min(wanted)}, which split {drawn[0].split!r} of the dataset lacks; "
        "judge with the dataset that they were drawn from"
    )


def has_problem(source: EpisodeSource, split: str, goal_kind: str, ahead: int, selection: Selection) -> bool:
    """Returns whether `draw` would find any, within episodes looking no further than the first."""
    if selection.pairs == "stitched":
        return bool(draw(source, split, [(goal_kind, ahead)], selection).problems)
    with closing(make_world(source.world, 1, **source.world_options)) as world:
        episodes = _scanned(source, split, selection.count)
        rows = (_start_rows(world, episode, goal_kind, ahead, selection.legal_route) for episode in episodes)
        return any(len(row_M) > 0 for row_M in rows)


def _scanned(source: EpisodeSource, split: str, count: int) -> Iterator[Episode]:
    return source.episodes(split, limit=SCANNED_EPISODES_PER_PROBLEM * count)


def _start_rows(world: World, episode: Episode, goal_kind: str, ahead: int, legal_route: bool) -> NDArray[np.int64]:
    """Returns the rows (M,) that start a problem of that kind, with a legal way to the goal where that is asked for.

    Start and goal have a frame.

    Raises:
        InputError: no two frames are so many steps apart.
    """
    if ahead % episode.frame_every:
        raise InputError(
            f"a goal {ahead} environment steps ahead has no frame, for the dataset has one of every "
            f"{episode.frame_every} steps (frame_every); choose offsets that are a multiple of {episode.frame_every}"
        )
    pairs = episode.steps + 1 - ahead
    if pairs < 1:
        return np.zeros(0, dtype=np.int64)
    start = {name: value[:pairs] for name, value in episode.state.items()}
    goal = {name: value[ahead:] for name, value in episode.state.items()}
    fits_M = world.is_goal_of_kind(goal_kind, start, goal)
    if legal_route:
        before = {name: value[:-1] for name, value in episode.state.items()}
        after = {name: value[1:] for name, value in episode.state.items()}
        illegal_T = np.cumsum(np.concatenate([[False], ~world.legal_moves(before, after)]))
        fits_M = fits_M & (illegal_T[ahead:] == illegal_T[:pairs])
    row_M: NDArray[np.int64] = np.flatnonzero(fits_M[:: episode.frame_every]) * episode.frame_every
    return row_M


def _draw_group(
    world: World, episodes: Sequence[Episode], goal_kind: str, offset: int, selection: Selection
) -> list[DrawnProblem]:
    """Returns the problems of one goal kind and offset in the order of their numbers."""
    ranked = []
    for place, episode in enumerate(episodes):
        rng = numpy_generator(selection.seed, "start rows", goal_kind, episode.index)
        start_row_M = _start_rows(world, episode, goal_kind, offset, selection.legal_route)
        row_M = rng.permutation(start_row_M)[: selection.count]
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
        if not (selection.remove_solved and is_solved(world, one, selection.success_kind)):
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


def _state_at(world: type[World], episode: Episode, row: int) -> State:
    """Returns the state at a row, an empty one where the episode has no such row."""
    return world.state_at(episode, row) if 0 <= row <= episode.steps else {}


def _problem(world: type[World], episode: Episode, one: DrawnProblem) -> Problem:
    """Returns a problem with the frames of its start's episode; a stitched one still shows its start as the goal."""
    row, goal_row = one.start_row, one.start_row if one.stitched else one.start_row + one.offset
    if not same_states(_state_at(world, episode, row), one.start):
        raise InputError(_other_state(one, "starts", row, episode.index))
    if not (one.stitched or same_states(_state_at(world, episode, goal_row), one.goal)):
        raise InputError(_other_state(one, "ends", goal_row, episode.index))
    return Problem(
        number=one.number,
        split=one.split,
        goal_kind=one.goal_kind,
        episode=one.episode,
        start_row=row,
        seed=one.seed,
        start=one.start,
        goal=one.goal,
        start_pixels=episode.frames_at(row).copy(),
        goal_pixels=episode.frames_at(goal_row).copy(),
        demonstration_LA=None if one.stitched else episode.action[row:goal_row].copy(),
        goal_episode=one.goal_episode,
        goal_row=one.goal_row,
    )


def _with_stitched_goals(
    problems: Sequence[Problem], goals: Mapping[int, State], source: EpisodeSource
) -> list[Problem]:
    """Returns problems with frames of their goals, which are states of other episodes set up in the starts' worlds.

    Raises:
        InputError: a goal is another one than the other episode's state makes.
    """
    with closing(make_world(source.world, len(problems), **source.world_options)) as world:
        for one in problems:
            held = goals.get(one.number)
            if not (held and same_states(goal_in_world_of(world.world_spec, one.start, held), one.goal)):
                raise InputError(_other_state(one, "ends", one.goal_row or 0, one.goal_episode or 0))
        world.restore(stack_states([one.goal for one in problems]))
        frames: Pixels = world.render_pixels()
    return [replace(one, goal_pixels=frame.copy()) for one, frame in zip(problems, frames, strict=True)]


def _other_state(one: DrawnProblem | Problem, what: str, row: int, episode: int) -> str:
    return (
        f"problem {one.number} {what} in another state than row {row} of episode {episode} of the dataset; "
        "judge with the dataset that the problems were drawn from"
    )
