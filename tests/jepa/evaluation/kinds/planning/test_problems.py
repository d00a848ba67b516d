"""Problems come from the split and of the kind that were asked for."""

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation.kinds.planning.problems import draw_problems, has_problem
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
    assert not has_problem(source, "test", "uniform", 5, 65)
    assert has_problem(source, "test", "uniform", 5, 64)
