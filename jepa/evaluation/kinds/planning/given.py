"""Whether problems of a manifest that was given, and may have been edited, are such as could have been drawn."""

from collections import Counter
from contextlib import closing

import numpy as np

from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.evaluation.evaluation import HELD_OUT_SPLITS
from jepa.evaluation.kinds.planning.stitched import NEAREST, steps_fit
from jepa.planning.execution import stack_states
from jepa.planning.problem_manifest import DrawnProblem, ProblemManifest
from jepa.worlds.recordings import require_simulator
from jepa.worlds.registry import WORLDS
from jepa.worlds.world import World, make_world

LONGEST_OFFSET = 1_000_000
"""Environment steps; no budget is longer."""
REMEDY = "give the manifest as it was drawn"


def check_given(problems: ProblemManifest, source: EpisodeSource) -> None:
    """Passes where problems are in groups that can be judged; looks at no state.

    Raises:
        InputError: there are none, the world cannot be simulated, a split is not held out, a goal kind is not the
            world's, an offset is out of range, two problems have one number, or a stitched one is of one episode.
    """
    name = f"problems {problems.digest[:8]}"
    if not problems.problems:
        raise InputError(f"{name} are no problems at all, for their manifest has no row; {REMEDY}")
    require_simulator(source, "planning")
    goal_kinds = WORLDS.get(source.world).world_spec.goal_kind_names
    for split, goal_kind, offset in problems.groups:
        if split not in HELD_OUT_SPLITS:
            raise InputError(
                f"{name} are of split {split!r}, and only held-out episodes are judged ({', '.join(HELD_OUT_SPLITS)}); "
                f"{REMEDY}"
            )
        if goal_kind not in goal_kinds:
            raise InputError(
                f"{name} are of goal kind {goal_kind!r}, and world {source.world!r} has {', '.join(goal_kinds)}; "
                f"{REMEDY}"
            )
        if not 1 <= offset <= LONGEST_OFFSET:
            raise InputError(f"{name} have offset {offset}, which should be 1 to {LONGEST_OFFSET} steps; {REMEDY}")
    for (split, goal_kind, offset), group in problems.groups.items():
        number, times = Counter(one.number for one in group).most_common(1)[0]
        if times > 1:
            raise InputError(
                f"{name} have {times} problems with number {number} of split {split!r}, goal kind {goal_kind!r} and "
                f"offset {offset}; {REMEDY}"
            )
    for one in problems.problems:
        if one.goal_episode == one.episode:
            raise InputError(
                f"{_named(one)} is stitched and has episode {one.episode} as goal_episode too, where start and goal "
                f"should be of two; {REMEDY}"
            )


def check_pairs(problems: ProblemManifest, source: EpisodeSource) -> None:
    """Passes where every start and goal make a problem of their goal kind and, stitched, of their offset.

    Raises:
        InputError: one pair does not, by the tests of the draw.
    """
    with closing(make_world(source.world, 1, **source.world_options)) as world:
        for group in problems.groups.values():
            _check_group(world, group)


def _check_group(world: World, group: list[DrawnProblem]) -> None:
    """Raises InputError where a pair of one group is none of its goal kind or offset."""
    start, goal = stack_states([one.start for one in group]), stack_states([one.goal for one in group])
    for place in np.flatnonzero(~world.is_goal_of_kind(group[0].goal_kind, start, goal)):
        raise InputError(f"{_named(group[place])} has a start and a goal that are not of this goal kind; {REMEDY}")
    fits_M = steps_fit(world, start, goal, group[0].offset)
    for one, fits in zip(group, fits_M, strict=True):
        if one.stitched and not fits:
            raise InputError(
                f"{_named(one)} is stitched, and the shortest way to its goal should take {NEAREST:g} to 1 times the "
                f"offset and does not; {REMEDY}"
            )


def _named(one: DrawnProblem) -> str:
    return f"problem {one.number} of split {one.split!r}, goal kind {one.goal_kind!r} and offset {one.offset}"
