"""The evaluation `probing`: what is in a latent is found, what is not is not, and each row says what was read."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from jepa.core.errors import InputError
from jepa.evaluation import ProbeConfig, ProbingConfig, ProbingEvaluation, evaluate
from jepa.evaluation.evaluation import Row
from jepa.evaluation.kinds.probing.report import is_main
from jepa.models.world_model import ModelConfig, WorldModel
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

MODEL: Any = CentroidModel()
QUICK = ProbingConfig(
    train_frames=400,
    validation_frames=50,
    test_frames=200,
    baseline_frames=200,
    compared_frames=100,
    pca_frames=60,
    predictions=20,
    probe=ProbeConfig(hidden=16, steps=40),
)
WHAT = ("latents", "frames", "blocks_ahead", "probe")


def rows_of(source: MemorySource, model: Any = MODEL, **changes: Any) -> list[Row]:
    config = ProbingConfig.model_validate(QUICK.model_dump() | changes)
    return ProbingEvaluation(config, "p-v1").run("probes", model, source, seed=0).metrics


def test_probing_of_a_latent_that_is_the_position(source: MemorySource) -> None:
    config = ProbingConfig(train_frames=1500, validation_frames=200, test_frames=600, predictions=100)
    result = ProbingEvaluation(config, "p-v1").run("probes", MODEL, source, seed=0)
    values = figures([row for row in result.metrics if is_main(row)], "split", "probe", "quantity")
    for split in ("test", "unseen"):
        assert values[split, "linear", "agent_position", "r2"] > 0.99
        assert values[split, "mlp", "agent_position", "pearson_r"] > 0.995
        assert values[split, "linear", "door", "r2"] < 0.5
    assert values["test", "linear", "all", "mse"] == pytest.approx(
        (2 * values["test", "linear", "agent_position", "mse"] + values["test", "linear", "door", "mse"]) / 3
    )
    assert {row["n"] for row in result.metrics if row["split"] == "test"} == {20}
    rows = [row for row in result.tables["predictions"] if (row["split"], row["probe"]) == ("test", "mlp")]
    assert len(rows) == 50 * 2 + 100
    episodes = {episode.index: episode for episode in source.by_split["test"]}
    for row in rows:
        truth = episodes[row["episode"]].state[row["quantity"]][row["step"], row["dimension"]]
        assert row["target"] == pytest.approx(float(truth))


def test_rows_say_what_was_read_and_by_what(source: MemorySource) -> None:
    rows = [row for row in rows_of(source) if (row["split"], row["quantity"], row["metric"]) == ("test", "all", "r2")]
    found = Counter(tuple(row[name] for name in WHAT) for row in rows)
    read = [("prediction", 1, ahead, probe) for ahead in range(6) for probe in ("linear", "mlp")]
    read += [("encoder", 1, 0, "linear"), ("encoder", 1, 0, "mlp"), ("encoder", 3, 0, "linear")]
    read += [(baseline, 1, 0, "linear") for baseline in ("pixels_pca", "untrained", "state")]
    assert found == Counter(read)
    settings = {tuple(row[name] for name in WHAT): json.loads(row["settings"]) for row in rows}
    assert settings["encoder", 1, 0, "linear"] == {"ridge": 1e-6, "fit_frames": 400}
    assert settings["prediction", 1, 5, "mlp"]["hidden"] == 16 and settings["prediction", 1, 5, "mlp"]["steps"] == 40
    assert settings["pixels_pca", 1, 0, "linear"]["components"] == 2, "as many as the latent has dimensions"


def test_the_state_is_read_wholly_and_nothing_better_than_it(source: MemorySource) -> None:
    values = figures(rows_of(source, train_frames=1500, baseline_frames=600), "split", *WHAT, "quantity")

    def r2(split: str, latents: str, ahead: int = 0, frames: int = 1) -> float:
        return float(values[split, latents, frames, ahead, "linear", "agent_position", "r2"])

    for split in ("test", "unseen"):
        assert values[split, "state", 1, 0, "linear", "all", "r2"] == pytest.approx(1, abs=1e-6)
        assert values[split, "state", 1, 0, "linear", "all", "mse"] == pytest.approx(0, abs=1e-6)
        assert 1 >= r2(split, "prediction", 0) > r2(split, "prediction", 5) > r2(split, "pixels_pca")
        assert r2(split, "prediction", 0) > 0.99 and r2(split, "untrained") < 0.9
        assert r2(split, "encoder", frames=3) > 0.99


def test_predictions_are_those_of_the_actions_that_were_taken(source: MemorySource) -> None:
    class Still(CentroidModel):
        def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
            return super().rollout(z_BTD, torch.zeros_like(action_BHKA), past_action_BTKA)

    def r2(model: Any, ahead: int) -> float:
        values = figures([row for row in rows_of(source, model) if row["split"] == "test"], *WHAT, "quantity")
        return float(values["prediction", 1, ahead, "linear", "agent_position", "r2"])

    assert r2(MODEL, 1) > 0.95 and r2(MODEL, 0) == r2(Still(), 0)
    for ahead in (1, 3, 5):
        assert 1 - r2(MODEL, ahead) < 0.5 * (1 - r2(Still(), ahead)), "only a wall keeps the stand-in from being exact"


@pytest.mark.parametrize(("steps", "furthest", "long"), [(27, 5, True), (12, 2, True), (7, 1, False), (3, 0, False)])
def test_short_episodes_are_predicted_as_far_as_they_go(steps: int, furthest: int, long: bool) -> None:
    source = MemorySource({"train": 12, "test": 8}, steps=steps)
    found = {tuple(row[name] for name in WHAT) for row in rows_of(source) if row["metric"] == "r2"}
    aheads = {ahead for latents, _, ahead, _ in found if latents == "prediction"}
    assert aheads == (set(range(furthest + 1)) if furthest else set())
    assert (("encoder", 3, 0, "linear") in found) == long
    assert {"encoder", "pixels_pca", "untrained", "state"} <= {latents for latents, *_ in found}


def test_a_model_with_a_history_starts_from_a_full_one(source: MemorySource) -> None:
    config = ModelConfig(latent_size=8, history=3, encoder_options={"channels": (8, 8, 8)})
    rows = rows_of(source, WorldModel.from_config(config), blocks_ahead=20)
    aheads = {row["blocks_ahead"] for row in rows if row["latents"] == "prediction"}
    assert aheads == set(range(64 // 5 - 2 + 1)), "two of twelve action blocks are the history's"


def test_latents_with_more_dimensions_than_there_are_frames(source: MemorySource) -> None:
    config = ModelConfig(latent_size=60, encoder_options={"channels": (8, 8, 8)})
    rows = rows_of(source, WorldModel.from_config(config), train_frames=40, baseline_frames=20, test_frames=40)
    (said,) = {row["settings"] for row in rows if row["latents"] == "pixels_pca"}
    settings = json.loads(said)
    assert settings["components"] == settings["fit_frames"] - 1 < 20, "frames vary in one direction less than they are"
    assert all(np.isfinite(row["value"]) for row in rows)


def test_neither_baselines_nor_predictions_where_none_are_wanted(source: MemorySource) -> None:
    rows = rows_of(source, baseline_frames=0, blocks_ahead=0)
    assert all(is_main(row) for row in rows) and len(rows) == 2 * 2 * 3 * 3
    assert {row["frames"] for row in rows_of(source, frames_together=1)} == {1}


def test_a_recording_of_no_known_world_with_columns_of_its_own() -> None:
    source = MemorySource({"train": 6, "validation": 2, "test": 4}, steps=20)
    source.world = "a workshop"
    source.quantities = {"agent_position": 2, "still": 1, "gaps": 1}
    rng = np.random.default_rng(0)
    for split, episodes in source.by_split.items():
        for place, episode in enumerate(episodes):
            state = {"agent_position": episode.state["agent_position"], "still": np.full((21, 1), 4, np.float32)}
            state["gaps"] = np.where(rng.random((21, 1)) < 0.1, np.nan, 1).astype(np.float32)
            source.by_split[split][place] = replace(episode, state=state)
    values = figures(rows_of(source), *WHAT, "quantity")
    assert {key[4] for key in values} == {"all", "agent_position", "still"}, "gaps are not read"
    assert {key[5] for key in values if key[4] == "still"} == {"mse"}, "what never varies has an error and nothing else"
    assert values["state", 1, 0, "linear", "all", "r2"] == pytest.approx(1, abs=1e-6)


def test_a_dimension_that_training_frames_hold_still_spoils_no_figure_of_its_quantity() -> None:
    """A joint that hardly turns has a sine which rounding alone moves: its R² is minus millions and says nothing."""
    source = MemorySource({"train": 6, "validation": 2, "test": 4}, steps=20)
    source.world, source.quantities = "a workshop", {"moving": 1, "joint": 3}
    rng = np.random.default_rng(0)
    for split, episodes in source.by_split.items():
        for place, episode in enumerate(episodes):
            moving = episode.state["agent_position"][:, :1]
            rounded = rng.choice([-1, np.nextafter(np.float32(-1), np.float32(0))], moving.shape)
            stuck = np.full_like(moving, 2.0 if split == "train" else rng.random())
            joint = np.concatenate([moving, rounded, stuck], axis=1).astype(np.float32)
            source.by_split[split][place] = replace(episode, state={"moving": moving, "joint": joint})
    values = figures(rows_of(source), *WHAT, "quantity")
    spoilt = {key: value for key, value in values.items() if key[5] != "mse" and not -5 < value < 1.001}
    assert not spoilt
    assert sum(key[4:] == ("joint", "r2") for key in values) > 4


def test_latents_that_are_not_finite_are_an_error_in_one_sentence(source: MemorySource) -> None:
    class Broken(CentroidModel):
        def encode(self, pixels_BTHWC: Tensor) -> Tensor:
            return super().encode(pixels_BTHWC) * float("nan")

    with pytest.raises(InputError, match="latents that the model makes of 'train' frames are not finite"):
        rows_of(source, Broken())


def test_probing_needs_training_and_test_episodes() -> None:
    with pytest.raises(InputError, match="'train'"):
        evaluate("probing", MODEL, MemorySource({"test": 1}), "tiny-v1")
