"""Stitched problems: start and goal of different episodes, set up in one world, as far apart as was asked for."""

from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from jepa.evaluation import PlanningConfig, PlanningEvaluation, Protocol, evaluate
from jepa.evaluation.kinds.planning.problems import draw, has_problem, with_frames
from jepa.evaluation.kinds.planning.selection import Selection
from jepa.evaluation.kinds.planning.stitched import known_steps
from jepa.planning.problem_manifest import DrawnProblem
from jepa.worlds import make_world
from jepa.worlds.two_room.world import SPEED, TwoRoom
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

STITCHED = Selection(20, seed=0, remove_solved=True, pairs="stitched")
SMALL = {"samples": 8, "elites": 2, "iterations": 1, "candidates_at_once": 100}
ORACLE = {"samples": 100, "elites": 10, "iterations": 8, "candidates_at_once": 2000, "geodesic": True}
MODEL: Any = CentroidModel()


def drawn(source: MemorySource, kind: str = "cross_room", offset: int = 25, **changes: Any) -> list[DrawnProblem]:
    return draw(source, "test", [(kind, offset)], replace(STITCHED, **changes)).problems


def config(**changes: Any) -> PlanningConfig:
    fields = {"problems": 3, "pairs": "stitched", "budget_factor": 2, "planners": {"cem": SMALL, "oracle": ORACLE}}
    pictures = {"frames_shown": 0, "position_frames": 20, "position_probe": {"hidden": 4, "steps": 1}}
    return PlanningConfig.model_validate(fields | pictures | changes)


@pytest.mark.parametrize("split", ["test", "unseen"])
@pytest.mark.parametrize("kind", ["uniform", "cross_room"])
def test_the_goal_is_another_episode_s_set_up_in_the_start_s_world(source: MemorySource, split: str, kind: str) -> None:
    episodes = {episode.index: episode for episode in source.by_split[split]}
    problems = with_frames(draw(source, split, [(kind, 25)], STITCHED).problems, source)
    assert len(problems) == 20
    with closing(make_world("two_room", 1)) as world:
        for one in problems:
            assert one.goal_episode not in (None, one.episode) and one.demonstration_LA is None
            start, goal = episodes[one.episode], episodes[one.goal_episode or 0]
            np.testing.assert_array_equal(one.start_pixels, start.pixels[one.start_row])
            place = goal.state["agent_position"][one.goal_row or 0]
            np.testing.assert_array_equal(one.goal["agent_position"], place)
            np.testing.assert_array_equal(one.goal["door"], start.state["door"][0])
            world.restore({name: value[None] for name, value in one.goal.items()})
            np.testing.assert_array_equal(one.goal_pixels, world.render_pixels()[0])
            assert not np.array_equal(one.goal_pixels, goal.pixels[one.goal_row or 0]), "its own door is another"
            if kind == "cross_room":
                assert (one.start["agent_position"][0] < 0.5) != (place[0] < 0.5)


@pytest.mark.parametrize("offset", [16, 25, 40])
def test_the_shortest_way_fits_into_the_offset_and_is_no_less_than_half_of_it(
    source: MemorySource, offset: int
) -> None:
    problems = drawn(source, offset=offset)
    start, goal = (
        {name: np.stack([getattr(one, which)[name] for one in problems]) for name in problems[0].start}
        for which in ("start", "goal")
    )
    steps = TwoRoom.geodesic(start, goal) / SPEED
    assert offset / 2 <= steps.min() < 0.7 * offset and 0.8 * offset < steps.max() <= offset
    known = known_steps(TwoRoom, with_frames(problems, source), offset)
    np.testing.assert_array_equal(known, np.ceil(steps))


def test_the_draw_is_the_seed_alone_and_every_episode_starts_one_before_any_starts_two(source: MemorySource) -> None:
    def key(problems: list[DrawnProblem]) -> list[tuple[Any, ...]]:
        return [(one.episode, one.start_row, one.goal_episode, one.goal_row, one.seed) for one in problems]

    assert key(drawn(source)) == key(drawn(source)) != key(drawn(source, seed=1))
    together = draw(source, "test", [("uniform", 40), ("cross_room", 25)], STITCHED).problems
    assert key([one for one in together if one.offset == 25]) == key(drawn(source))
    assert len({one.episode for one in drawn(source)}) == 20
    counts = np.bincount([one.episode for one in drawn(source, count=30)], minlength=48)
    assert counts.sum() == 30 and counts.max() == 2 and len(set(key(drawn(source, count=30)))) == 30
    once = drawn(source, count=30, one_pair_an_episode=True)
    assert len(once) == len({one.episode for one in once}) == 20
    assert [one.number for one in once] == list(range(20))


def standing(episode: Episode, index: int, door: float, places: list[tuple[float, float]]) -> Episode:
    """Returns an episode with another door whose agent stands at some places in turn."""
    position = np.array([places[row % len(places)] for row in range(episode.steps + 1)], dtype=np.float32)
    doors = np.full_like(episode.state["door"], door)
    return replace(episode, index=index, state={**episode.state, "agent_position": position, "door": doors})


def test_no_goal_is_in_the_wall_of_the_start_s_world() -> None:
    source = MemorySource({"test": 2})
    low = standing(source.by_split["test"][0], 0, 0.75, [(0.2, 0.75)])
    # In its own doorway every other row, where the start has a wall.
    high = standing(source.by_split["test"][1], 1, 0.25, [(0.5, 0.25), (0.7, 0.4)])
    source.by_split["test"] = [low, high]
    problems = [one for one in drawn(source, "uniform", 40, count=12) if one.episode == 0]
    assert len(problems) == 6 and {float(one.goal["agent_position"][0]) for one in problems} == {np.float32(0.7)}


def test_pairs_that_are_solved_are_left_out_where_the_world_knows_no_ways(
    source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TwoRoom, "geodesic", classmethod(lambda cls, start, goal: None))
    problems = drawn(source, "uniform", count=200)
    apart = [np.linalg.norm(one.start["agent_position"] - one.goal["agent_position"]) for one in problems]
    assert len(problems) == 200 and min(apart) >= 0.08
    assert PlanningEvaluation(config(), "p-v1")._selection("two_room", 0).remove_solved
    assert np.isinf(known_steps(TwoRoom, with_frames(problems[:3], source), 25)).all()


def test_an_evaluation_of_stitched_pairs_names_both_episodes(source: MemorySource) -> None:
    evaluation = PlanningEvaluation(config(), "p-v1")
    evaluation.use_problems(evaluation.draw_problems(source, seed=0))
    assert evaluation.units(source) == [f"{s}/{k}" for s in ("test", "unseen") for k in ("uniform", "cross_room")]
    result = evaluation.run("test/cross_room", MODEL, source, seed=0)
    rows = result.tables["episodes"]
    assert len(rows) == 3 * 3 and all(row["goal_episode"] != row["episode"] for row in rows)
    assert {len(row["path"]) for row in rows} == {51}
    assert all(13 <= row["known_steps"] <= 25 for row in rows)
    values = figures(result.metrics, "planner", "quantity")
    assert values["oracle", None, "success_rate"] == 1
    assert values["cem", None, "success_given_oracle"] == values["cem", None, "success_rate"]
    assert 0 < values["oracle", None, "spl"] <= 1 and ("oracle", None, "success_given_oracle") not in values


def test_an_evaluation_in_this_process_draws_its_problems_with_its_seed(source: MemorySource) -> None:
    quick = config(goal_kinds=["uniform"], planners={"oracle": SMALL}, problems=2)
    protocol = Protocol.model_validate({"name": "p-v1", "planning": quick.model_dump(mode="json")})
    result = evaluate("planning", MODEL, source, protocol, seed=3)
    drawn = PlanningEvaluation(quick, "p-v1").draw_problems(source, seed=3).problems
    held = {(row["split"], row["episode"], row["goal_episode"], row["goal_row"]) for row in result.tables["episodes"]}
    assert held == {(one.split, one.episode, one.goal_episode, one.goal_row) for one in drawn}


@pytest.mark.parametrize(
    ("planners", "sentence"),
    [
        (
            {"demonstration": {}},
            r"planners\.demonstration needs what was recorded between start and goal, and no record",
        ),
        ({"again": {"planner": "demonstration"}}, r"planners\.again needs"),
        ({"oracle": {"from_demonstration": True}}, r"planners\.oracle\.from_demonstration needs"),
    ],
)
def test_planners_that_repeat_a_recording_are_refused(planners: dict[str, Any], sentence: str) -> None:
    assert PlanningConfig.model_validate({"planners": planners}).pairs == "episode"
    with pytest.raises(ValidationError, match=sentence):
        config(planners=planners)


def test_problems_that_are_paired_in_another_way_than_the_protocol_says_are_refused(source: MemorySource) -> None:
    stitched, episode = (PlanningEvaluation(config(pairs=pairs), "p-v1") for pairs in ("stitched", "episode"))
    with pytest.raises(InputError, match="have `pairs: stitched` and protocol 'p-v1' says 'episode'"):
        episode.use_problems(stitched.draw_problems(source, 0))
    with pytest.raises(InputError, match="have `pairs: episode` and protocol 'p-v1' says 'stitched'"):
        stitched.use_problems(episode.draw_problems(source, 0))


def test_too_few_episodes_are_said_and_a_split_without_a_pair_has_no_unit() -> None:
    asked = PlanningEvaluation(config(), "p-v1")
    with pytest.raises(
        InputError, match="dataset has no second test episode, which stitched pairs of protocol 'p-v1' need"
    ):
        asked.draw_problems(MemorySource({"test": 1}), 0)
    source = MemorySource({"test": 2, "unseen": 1})
    assert {one.split for one in asked.draw_problems(source, 0).problems} == {"test"}
    assert not has_problem(source, "unseen", "uniform", 25, STITCHED)
    with pytest.raises(InputError, match="dataset has no stitched pair 400 steps apart, of the goal kinds of protocol"):
        PlanningEvaluation(config(offsets=[25, 400]), "p-v1").draw_problems(source, 0)


def test_goals_of_other_states_than_the_dataset_s_are_refused(source: MemorySource) -> None:
    one = drawn(source)[0]
    place = f"row {one.goal_row} of episode {one.goal_episode}"
    for changed in (one.start, {**one.goal, "door": one.goal["door"] + np.float32(0.01)}):
        with pytest.raises(InputError, match=f"problem 0 ends in another state than {place} of the dataset"):
            with_frames([replace(one, goal=changed)], source)
    for row in (65, -1, (one.goal_row or 0) - 1):
        with pytest.raises(InputError, match=f"problem 0 ends in another state than row {row} "):
            with_frames([replace(one, goal_row=row)], source)
    with pytest.raises(InputError, match="name episode 999, which split 'test' of the dataset lacks"):
        with_frames([replace(one, goal_episode=999)], source)
