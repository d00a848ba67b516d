"""Films of planning: the very states that were passed, of the first problems reached and missed, however divided."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jepa.evaluation import PlanningConfig, PlanningEvaluation
from jepa.evaluation.evaluation import EvaluationResult, Row
from jepa.evaluation.kinds.planning.films import FILMED, FRAMES, WIDEST, filmed_planner, pooled_films
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

WEAK = {"samples": 12, "elites": 2, "iterations": 1, "candidates_at_once": 100}
ORACLE = {"samples": 60, "elites": 6, "iterations": 3, "candidates_at_once": 1200}
MODEL: Any = CentroidModel()


def evaluation(**changes: Any) -> PlanningEvaluation:
    fields = {"problems": 14, "position_frames": 100, "position_probe": {"hidden": 8, "steps": 20}, "budget": 30}
    planners = {"cem": WEAK, "oracle": ORACLE}
    return PlanningEvaluation(PlanningConfig.model_validate(fields | {"planners": planners} | changes), "p-v1")


@pytest.fixture(scope="module")
def whole(source: MemorySource) -> EvaluationResult:
    return evaluation().run("test/uniform", MODEL, source, seed=0)


def picture(row: Row) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(row["frame"])))


def test_the_first_that_were_reached_and_missed_are_filmed_to_their_end(whole: EvaluationResult) -> None:
    episodes = {row["problem"]: row for row in whole.tables["episodes"] if row["planner"] == "cem"}
    films = whole.tables["films"]
    for success in (True, False):
        wanted = [n for n, row in sorted(episodes.items()) if row["success"] == success and row["steps_to_goal"] != 0]
        assert wanted, "this planner should reach some and miss some, or nothing is tried here"
        assert sorted({row["problem"] for row in films if row["success"] == success}) == wanted[:FILMED]
    for problem in {row["problem"] for row in films}:
        own, episode = [row for row in films if row["problem"] == problem], episodes[problem]
        scenes = [row for row in own if row["source"] == "scene"]
        last = episode["steps_to_goal"] if episode["success"] else 30
        assert [scenes[0]["step"], scenes[-1]["step"]] == [0, last] and len(scenes) == min(FRAMES, last + 1)
        assert scenes[0]["planned_path"] == episode["planned_path"] and scenes[0]["frame_extent"] == [
            0.0,
            1.0,
            1.0,
            0.0,
        ]
        assert all(row["planned_path"] is None for row in scenes[1:]) and len(own) == len(scenes) + 1


def test_frames_show_the_states_that_were_passed(whole: EvaluationResult, source: MemorySource) -> None:
    episodes = {row["problem"]: row for row in whole.tables["episodes"] if row["planner"] == "cem"}
    recorded = {episode.index: episode for episode in source.episodes("test")}
    for row in whole.tables["films"]:
        shown, episode = picture(row), episodes[row["problem"]]
        assert shown.shape[0] <= WIDEST
        if row["source"] == "goal" or row["step"] == 0:
            at = episode["start_row"] + (25 if row["source"] == "goal" else 0)
            np.testing.assert_array_equal(shown, recorded[episode["episode"]].pixels[at])
            continue
        # The red disk is where the path says that the agent was.
        weight = (shown[..., 0].astype(float) - shown[..., 1] - 8).clip(0)
        centre = (np.arange(len(shown)) + 0.5) / len(shown)
        seen = [(weight.sum(axis) * centre).sum() / weight.sum() for axis in (0, 1)]
        np.testing.assert_allclose(seen, episode["path"][row["step"]], atol=0.02)


@pytest.mark.parametrize("size", [1, 4])
def test_films_do_not_depend_on_the_division(whole: EvaluationResult, source: MemorySource, size: int) -> None:
    own, found = evaluation(), EvaluationResult()
    for start in reversed(range(0, 14, size)):
        found.extend(own.run_items("test/uniform", range(start, min(14, start + size)), MODEL, source, 0))
    films = own.pool("test/uniform", found, 0).tables["films"]
    assert films == whole.tables["films"]
    assert pooled_films(films) == films


def test_references_are_not_filmed_and_who_wants_no_pictures_gets_none(source: MemorySource) -> None:
    assert filmed_planner(["oracle", "random", "demonstration"]) is None
    assert filmed_planner(["oracle", "mppi", "cem", "random"]) == "mppi"
    assert "films" not in evaluation(frames_shown=0, problems=2).run("test/uniform", MODEL, source, 0).tables
    only = evaluation(planners={"demonstration": {}, "oracle": ORACLE}, problems=2)
    assert "films" not in only.run("test/uniform", MODEL, source, 0).tables
