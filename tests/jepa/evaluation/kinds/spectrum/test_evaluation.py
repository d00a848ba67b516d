"""The evaluation `spectrum` on a model that predicts rightly, on one that is wrong, and on latents that are alike."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from jepa.core.errors import InputError
from jepa.evaluation import SpectrumConfig, SpectrumEvaluation
from jepa.evaluation.evaluation import EvaluationResult
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

PLANNING = {
    "problems": 3,
    "planners": {
        "cem": {"samples": 32, "elites": 4, "iterations": 3},
        "oracle": {"samples": 32, "elites": 4, "iterations": 4},
    },
    "frames_shown": 0,
    "position_frames": 50,
    "position_probe": {"hidden": 8, "steps": 1},
}
CONFIG = SpectrumConfig.model_validate({"train_episodes": 40, "episodes": 20, "blocks": 5, "planning": PLANNING})


class WrongModel(CentroidModel):
    """Predicts the opposite of what the actions do."""

    def predict(self, z_BTD: Tensor, action_BTKA: Tensor) -> Tensor:
        return super().predict(z_BTD, -3 * action_BTKA)


class BlindModel(CentroidModel):
    """Encodes every frame alike."""

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        return torch.zeros(*pixels_BTHWC.shape[:2], 2)


def run(model: Any, source: MemorySource) -> EvaluationResult:
    return SpectrumEvaluation(CONFIG, "p-v1").run("test", model, source, seed=0)


@pytest.fixture(scope="module")
def right(source: MemorySource) -> EvaluationResult:
    return run(CentroidModel(), source)


def test_a_world_that_follows_its_actions_is_predictable_with_them(right: EvaluationResult) -> None:
    values = figures(right.metrics, "quantity")
    assert 1.9 < values["with_action", "predictable_dimensions"] <= 2
    assert values["latent_alone", "predictable_dimensions"] < values["with_action", "predictable_dimensions"] - 0.1
    assert values["model", "whitened_error"] < 0.1 and values[None, "risk"] < 0.05
    assert values[None, "regret_bound"] == pytest.approx(2 * values[None, "risk"] ** 0.5)


def test_a_model_that_is_wrong_has_a_risk(right: EvaluationResult, source: MemorySource) -> None:
    wrong = figures(run(WrongModel(), source).metrics, "quantity")
    assert wrong[None, "risk"] > 10 * figures(right.metrics, "quantity")[None, "risk"] + 0.1
    assert wrong[None, "regret_bound"] > 0.5


def test_the_regret_of_plans_stands_beside_the_bound(right: EvaluationResult) -> None:
    regrets = [row for row in right.metrics if row["metric"] == "measured_regret"]
    assert {(row["goal"], row["planner"]) for row in regrets} == {("uniform", "cem"), ("cross_room", "cem")}
    rows = right.tables["spectrum"]
    correlation = [row["value"] for row in rows if row["curve"] == "with_action"]
    assert len(correlation) == 2 and correlation[0] >= correlation[1] - 0.05
    bound = {row["rank"]: row["value"] for row in rows if row["curve"] == "bound"}
    assert bound[1] > bound[2] and bound[1] > 1
    assert {row["curve"] for row in rows if row["figure"] == "regret"} == {
        "bound",
        "measured, uniform, cem",
        "measured, cross_room, cem",
    }


def test_latents_that_are_all_alike_have_no_spectrum_and_a_regret(source: MemorySource) -> None:
    result = run(BlindModel(), source)
    assert {row["metric"] for row in result.metrics} == {"measured_regret"} and result.tables["spectrum"] == []


def test_what_is_missing_is_said(source: MemorySource) -> None:
    with pytest.raises(InputError, match="no 'train' episodes, which 'spectrum' needs"):
        SpectrumEvaluation(CONFIG, "p-v1").units(MemorySource({"test": 1}, steps=5))
    with pytest.raises(InputError, match="no 'train' episode has 5 steps"):
        run(CentroidModel(), MemorySource({"train": 1, "test": 1}, steps=3))
    assert SpectrumEvaluation(CONFIG, "p-v1").units(source) == ["test", "unseen"]
    assert np.isfinite([row["value"] for row in run(CentroidModel(), short_of_plans()).metrics]).all()


def short_of_plans() -> MemorySource:
    """Returns episodes too short for a problem of 25 steps: there is a spectrum, and no regret."""
    return MemorySource({"train": 12, "test": 6}, steps=20)
