"""Problems come from the split and of the kind that were asked for."""

from dataclasses import replace

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation import PlanningConfig, PlanningEvaluation
from jepa.evaluation.kinds.planning.problems import draw, draw_problems, has_problem, with_frames
from jepa.evaluation.kinds.planning.selection import Selection
from tests.jepa.evaluation.standins import MemorySource


@pytest.fixture(scope="module")
def source() -> MemorySource:
    return MemorySource({"train": 10, "test": 30, "unseen": 12})


@pytest.mark.parametrize("split", ["test", "unseen"])
@pytest.mark.parametrize("kind", ["uniform", "cross_room"])
def test_start_and_goal_are_rows_of_one_episode_of_the_split(source: MemorySource, split: str, kind: str) -> None:
    episodes = {episode.index: episode for episode in source.by_split[split]}
    problems = draw_problems(source, split, kind, 10, 25, seed=0)
    assert problems
    for number, problem in enumerate(problems):
        assert (problem.number, problem.split, problem.goal_kind) == (number, split, kind)
        episode, row = episodes[problem.episode], problem.start_row
        np.testing.assert_array_equal(problem.start_pixels, episode.pixels[row])
        np.testing.assert_array_equal(problem.goal_pixels, episode.pixels[row + 25])
        for name, value in episode.state.items():
            np.testing.assert_array_equal(problem.start[name], value[row])
            np.testing.assert_array_equal(problem.goal[name], value[row + 25])
        if kind == "cross_room":
            assert (problem.start["agent_position"][0] < 0.5) != (problem.goal["agent_position"][0] < 0.5)


def test_every_episode_gives_one_before_any_gives_two(source: MemorySource) -> None:
    assert len({problem.episode for problem in draw_problems(source, "test", "uniform", 30, 25, seed=1)}) == 30
    counts = np.bincount([problem.episode for problem in draw_problems(source, "test", "uniform", 45, 25, seed=1)])
    assert counts.sum() == 45 and counts.max() == 2


def test_start_rows_are_spread_over_all_valid_rows(source: MemorySource) -> None:
    rows = [problem.start_row for problem in draw_problems(source, "test", "uniform", 600, 25, seed=2)]
    counts = np.bincount(rows, minlength=40)
    assert len(counts) == 40, "row 39 is the last with a goal 25 steps later in 64 steps"
    assert counts.min() > 0


def test_the_draw_is_the_seed_and_nothing_else(source: MemorySource) -> None:
    def key(seed: int) -> list[tuple[int, int, int]]:
        return [(p.episode, p.start_row, p.seed) for p in draw_problems(source, "test", "cross_room", 8, 25, seed)]

    assert key(3) == key(3) != key(4)
    assert len({one[2] for one in key(3)}) == 8


def test_a_split_without_such_a_problem_is_refused_in_a_sentence(source: MemorySource) -> None:
    with pytest.raises(InputError, match=r"'test'.*'uniform'.*65 environment steps ahead"):
        draw_problems(source, "test", "uniform", 5, 65, seed=0)
    assert not has_problem(source, "test", "uniform", 65, Selection(5, seed=0))
    assert has_problem(source, "test", "uniform", 64, Selection(5, seed=0))


def test_what_is_drawn_together_is_what_is_drawn_apart(source: MemorySource) -> None:
    groups = [(kind, offset) for kind in ("uniform", "cross_room") for offset in (25, 40)]
    together = draw(source, "test", groups, Selection(10, seed=0))
    assert (together.image_size, together.longest) == (64, 64)
    for kind, offset in groups:
        own = [one for one in together.problems if (one.goal_kind, one.offset) == (kind, offset)]
        apart = draw_problems(source, "test", kind, 10, offset, seed=0)
        assert [(p.episode, p.start_row, p.seed) for p in apart] == [(p.episode, p.start_row, p.seed) for p in own]
        for problem, again in zip(with_frames(own, source), apart, strict=True):
            np.testing.assert_array_equal(problem.goal_pixels, again.goal_pixels)


def test_an_episode_gives_one_pair_where_that_is_asked_for(source: MemorySource) -> None:
    drawn = draw(source, "test", [("uniform", 25)], Selection(45, seed=1, one_pair_an_episode=True)).problems
    assert len(drawn) == len({one.episode for one in drawn}) == 30


def test_pairs_that_are_solved_at_the_start_are_left_out(source: MemorySource) -> None:
    def starts(remove_solved: bool) -> list[float]:
        drawn = draw(source, "test", [("uniform", 3)], Selection(60, seed=1, remove_solved=remove_solved)).problems
        assert len(drawn) == 60 and [one.number for one in drawn] == list(range(60))
        return [float(np.linalg.norm(one.start["agent_position"] - one.goal["agent_position"])) for one in drawn]

    nearest = min(starts(remove_solved=True))
    assert min(starts(remove_solved=False)) < 0.05 < nearest, "Two-Room's goals are met at 0.05"


def test_recordings_that_cross_the_wall_make_no_problem_where_routes_must_be_legal() -> None:
    """As the package's Two-Room does, whose collision test looks at where a step ends."""
    source = MemorySource({"test": 2})
    # The first agent stands on the left up to row 30 and is behind the wall, far from the door, from the next row on.
    one, other = source.by_split["test"]
    place = np.where(np.arange(65)[:, None] <= 30, [[0.4, 0.1]], [[0.6, 0.1]]).astype(np.float32)
    state = {**one.state, "agent_position": place, "door": np.full_like(one.state["door"], 0.7)}
    source.by_split["test"] = [replace(one, state=state), other]

    def starts(legal_route: bool, kind: str = "uniform") -> list[int]:
        selection = Selection(200, seed=0, legal_route=legal_route)
        found = draw(source, "test", [(kind, 25)], selection).problems
        return sorted(problem.start_row for problem in found if problem.episode == one.index)

    assert starts(legal_route=False) == list(range(40))
    assert starts(legal_route=True) == [*range(6), *range(31, 40)], "whatever window does not hold the move from row 30"
    assert len(starts(legal_route=False, kind="cross_room")) == 25
    source.by_split["test"] = source.by_split["test"][:1]
    assert has_problem(source, "test", "cross_room", 25, Selection(5, seed=0))
    assert not has_problem(source, "test", "cross_room", 25, Selection(5, seed=0, legal_route=True))
    strict = PlanningEvaluation(PlanningConfig(success_kind="strict"), "p-v1")
    with pytest.raises(InputError, match=r"dataset has no planning problem 25 steps .* recorded by a legal one"):
        strict.draw_problems(source, 0)


def test_problems_of_other_episodes_are_refused(source: MemorySource) -> None:
    (one,) = draw(source, "test", [("uniform", 25)], Selection(1, seed=0)).problems
    with pytest.raises(InputError, match="name episode 9999, which split 'test' of the dataset lacks"):
        with_frames([replace(one, episode=9999)], source)
    with pytest.raises(InputError, match=f"starts in another state than row {one.start_row} of episode {one.episode}"):
        with_frames([replace(one, start=one.goal)], source)
    with pytest.raises(
        InputError, match=f"ends in another state than row {one.start_row + 25} of episode {one.episode}"
    ):
        with_frames([replace(one, goal=one.start)], source)
