"""Surprise: a right model is struck by a teleport and by nothing else."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from jepa.core.errors import InputError
from jepa.evaluation.evaluation import EvaluationResult, Row
from jepa.evaluation.kinds.surprise.evaluation import SurpriseConfig, SurpriseEvaluation
from jepa.evaluation.kinds.surprise.twins import twins
from jepa.evaluation.statistics import paired_auroc
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.worlds.two_room.world import SPEED, TwoRoom
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

NAMES = TwoRoom.world_spec.perturbation_names
CONFIG = SurpriseConfig(batch=10)


def run(model: Any, source: MemorySource, config: SurpriseConfig = CONFIG, unit: str = "test") -> EvaluationResult:
    return SurpriseEvaluation(config, "p-v1").run(unit, model, source, 0)


def only(result: EvaluationResult, metric: str, shift: str | None, score: str = "raw", ahead: int = 1) -> Row:
    wanted = {"metric": metric, "shift": shift, "score": score, "blocks_ahead": ahead}
    (row,) = [row for row in result.metrics if wanted.items() <= row.items()]
    return row


@pytest.fixture(scope="module")
def source() -> MemorySource:
    return MemorySource({"test": 24, "validation": 20})


@pytest.fixture(scope="module")
def result(source: MemorySource) -> EvaluationResult:
    return run(CentroidModel(), source)


def test_a_right_model_tells_a_teleport_without_fail(source: MemorySource, result: EvaluationResult) -> None:
    assert SurpriseEvaluation(CONFIG, "p-v1").units(source) == ["test"]
    for score in ("raw", "normalised"):
        auroc = only(result, "auroc", "teleport", score)
        assert (auroc["value"], auroc["n"], auroc["split"], auroc["strength"]) == (1.0, 24, "test", 10.0)
        assert (auroc["principle"], auroc["physical"]) == ("continuity", True)
        assert only(result, "pairwise_accuracy", "teleport", score)["value"] == 1.0
        assert only(result, "effect_size", "teleport", score)["value"] == 1.0
        assert only(result, "wilcoxon_p", "teleport", score)["value"] == pytest.approx(2**-24)
    values = {name: only(result, f"surprise_{name}", "teleport")["value"] for name in ("before", "at", "after")}
    assert values["at"] > 20 * max(values["before"], values["after"])
    assert values["at"] > 20 * only(result, "surprise_control", "teleport")["value"]
    assert only(result, "auroc", "recolour")["physical"] is False


def test_alarms_are_raised_at_events_and_seldom_elsewhere(result: EvaluationResult) -> None:
    alarms = only(result, "false_alarm_rate", None)
    assert alarms["n"] == 24 and alarms["value"] < 0.05 and alarms["ci_low"] < alarms["ci_high"]
    assert only(result, "threshold", None)["n"] == 20
    assert only(result, "detection_rate", "teleport")["value"] == 1.0
    assert only(result, "detection_delay", "teleport")["value"] == 0.0
    assert only(result, "detected_in_episode", "teleport")["value"] == 1.0
    half = only(result, "half_noticed_strength", "teleport")
    # It knows no walls, and is surprised by up to a whole block's way where one is met.
    assert 3 < half["ci_low"] <= half["value"] <= half["ci_high"] < 10 and half["unit"] == "steps' way"


def test_a_row_for_each_strength_and_for_none(result: EvaluationResult) -> None:
    rows = [row for row in result.tables["doses"] if (row["score"], row["blocks_ahead"]) == ("raw", 1)]
    doses = [row for row in rows if row["shift"] == "teleport"]
    assert [row["strength"] for row in doses] == [0.0, *TwoRoom.world_spec.perturbation("teleport").strengths]
    rates = [row["detection_rate"] for row in doses]
    assert rates[0] < 0.2 and rates[-1] == 1.0 and doses[0]["auroc"] == 0.5 and doses[-1]["auroc"] == 1.0
    # Two steps' way is twice as far, and an agent can be no farther from where it should be without being noticed more.
    assert rates == sorted(rates)
    assert {row["shift"] for row in rows} == set(NAMES)
    # Not every agent stands near a wall that it could pass.
    assert 0 < next(row["n"] for row in rows if row["shift"] == "pass_through") < 24


def test_the_top_of_a_ladder_is_as_strong_as_it_says(source: MemorySource) -> None:
    """A teleport in full leads anywhere from 10 steps' way on: by a right model's surprise, to well beyond them."""
    perturbation = TwoRoom.world_spec.perturbation("teleport")
    found = twins(CentroidModel(), source, source.by_split["test"][:10], [perturbation], CONFIG, 0, 0)  # type: ignore[arg-type]
    ladder = found.struck["teleport"]
    assert set(ladder) == {None, *perturbation.strengths}
    top_N, full_N = (np.sqrt(2 * ladder[one].surprise_NF[:, 0]) / SPEED for one in (10.0, None))
    assert np.median(np.abs(top_N - 10)) < 1 < 5 < full_N.mean() - 10
    # What is exact in full is struck once.
    exact = TwoRoom.world_spec.perturbation("resize")
    again = twins(CentroidModel(), source, source.by_split["test"][:2], [exact], CONFIG, 0, 0)  # type: ignore[arg-type]
    assert again.struck["resize"][1.0] is again.struck["resize"][None]


def test_rows_by_frame(result: EvaluationResult) -> None:
    rows = [row for row in result.tables["steps"] if row["shift"] == "teleport"]
    assert len(rows) == 24 * 2 * 12
    assert {row["step"] for row in rows} == set(range(5, 61, 5)) and {row["event_step"] for row in rows} == {30}
    peak = max((row for row in rows if row["perturbed"]), key=lambda row: row["surprise"])
    assert peak["step"] == peak["event_step"] and peak["normalised"] > 3
    assert len({row["episode"] for row in rows if "frame" in row}) == 2
    before = {perturbed: [row["surprise"] for row in rows if row["perturbed"] is perturbed and row["step"] < 30]
              for perturbed in (True, False)}  # fmt: skip
    assert before[True] == before[False]


def test_curves_are_of_as_many_episodes_as_asked_for(source: MemorySource) -> None:
    few = run(CentroidModel(), source, SurpriseConfig(batch=2, episodes=5, curve_episodes=3))
    rows = pd.DataFrame([row for row in few.tables["steps"] if row["shift"] == "teleport"])
    frames = rows.groupby(["episode", "perturbed"]).step.nunique()
    assert sorted(frames) == [1] * 4 + [12] * 6
    alone = rows[rows.groupby(["episode", "perturbed"]).step.transform("nunique") == 1]
    assert (alone.step == alone.event_step).all() and "frame" in rows
    assert only(few, "auroc", "teleport")["n"] == 5


def test_the_events_rows_give_the_figure_of_all_episodes(source: MemorySource) -> None:
    """A comparison reads them, and must not contradict the report."""
    few = run(CentroidModel(), source, SurpriseConfig(episodes=24, curve_episodes=2))
    rows = pd.DataFrame([row for row in few.tables["steps"] if row["shift"] == "teleport"])
    at = rows[rows.step == rows.event_step]
    struck, untouched = (at[at.perturbed == perturbed].set_index("episode").surprise for perturbed in (True, False))
    assert len(struck) == only(few, "auroc", "teleport")["n"] == 24
    assert paired_auroc(struck, untouched[struck.index]).value == only(few, "auroc", "teleport")["value"]


def test_batches_change_nothing(source: MemorySource, result: EvaluationResult) -> None:
    other = run(CentroidModel(), source, SurpriseConfig(batch=7))
    for one, two in zip(result.metrics, other.metrics, strict=True):
        assert (one["metric"], one["shift"], one["n"]) == (two["metric"], two["shift"], two["n"])
        assert one["value"] == pytest.approx(two["value"], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("history", [1, 3])
def test_what_is_shared_before_the_event_is_what_a_whole_replay_gives(source: MemorySource, history: int) -> None:
    """The predictor sees the frames before the event, too: surprise is that of the whole struck replay."""
    options = {"encoder_options": {"channels": [4], "grid_size": 4, "patch_size": 8}, "latent_size": 6}
    predictor = {"width": 16, "depth": 1, "mlp_size": 16, "action_mlp_size": 8}
    config = ModelConfig(history=history, predictor_options=predictor, **options)
    model = WorldModel.from_config(config).eval()
    with torch.no_grad():  # a fresh predictor changes nothing, whatever it sees
        for parameter in model.predictor.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    found = run(model, source, SurpriseConfig(episodes=3, blocks_ahead=(1, 2)))
    for n, episode in enumerate(source.by_split["test"][:3]):
        own = [row for row in found.tables["steps"] if row["shift"] == "ignore_action" and row["perturbed"]]
        surprise = [row["surprise"] for row in own if row["episode"] == episode.index]
        idle = episode.action[:60].copy()
        idle[25:35] = 0
        world = TwoRoom(1)
        world.restore({name: value[:1] for name, value in episode.state.items()})
        pixels = [world.render_pixels()]
        for step in range(60):
            world.advance(idle[step][None])
            if step % 5 == 4:
                pixels.append(world.render_pixels())
        with torch.inference_mode():
            z = model.encode(torch.from_numpy(np.stack(pixels, axis=1)))
            zhat = model.predict(z[:, :-1], torch.from_numpy(episode.action[:60].reshape(1, 12, 5, 2)))
        expected = (zhat - z[:, 1:]).double().square().mean(-1)[0].numpy()
        np.testing.assert_allclose(surprise, expected, rtol=1e-4, atol=1e-7, err_msg=f"episode {n}")


@pytest.mark.parametrize("batch", [1, 2, 50])
def test_episodes_too_short_are_refused_in_a_sentence(batch: int) -> None:
    short = MemorySource({"test": 2}, steps=9)
    with pytest.raises(InputError, match=r"no 'test' episode has 3 frames 5 steps apart.*collect longer episodes"):
        run(CentroidModel(), short, SurpriseConfig(batch=batch))


@pytest.mark.parametrize("batch", [1, 2, 50])
def test_short_episodes_among_long_ones_are_left_out(source: MemorySource, batch: int) -> None:
    mixed, short = MemorySource({}), MemorySource({"test": 4}, steps=9).by_split["test"]
    long = source.by_split["test"][:3]
    mixed.by_split["test"] = [*long[:1], *short[:2], *long[1:], *short[2:]]
    result = run(CentroidModel(), mixed, SurpriseConfig(batch=batch))
    assert only(result, "auroc", "teleport")["n"] == 3
    rows = [row for row in result.tables["steps"] if row["shift"] == "teleport"]
    assert len(rows) == 3 * 2 * 12 and {row["event_step"] for row in rows} == {30}


def test_without_validation_episodes_there_are_no_alarms(
    source: MemorySource, caplog: pytest.LogCaptureFixture
) -> None:
    alone = MemorySource({})
    alone.by_split["test"] = source.by_split["test"][:4]
    result = run(CentroidModel(), alone)
    assert "a false_alarm_rate of 0.01 needs 99 frames of untouched validation episodes, and there are 0" in caplog.text
    found = {row["metric"] for row in result.metrics}
    assert {"auroc", "pairwise_accuracy", "effect_size"} <= found
    assert not found & {"threshold", "false_alarm_rate", "detection_rate", "half_noticed_strength", "detection_delay"}
    assert {row["score"] for row in result.metrics} == {"raw"}
    assert all("detection_rate" not in row for row in result.tables["doses"])


def test_a_single_episode_has_figures_without_intervals(source: MemorySource) -> None:
    result = run(CentroidModel(), source, SurpriseConfig(episodes=1))
    auroc, effect = only(result, "auroc", "teleport"), only(result, "effect_size", "teleport")
    assert (auroc["value"], effect["value"]) == (1.0, 1.0) and np.isnan([auroc["ci_low"], effect["ci_low"]]).all()
    for row in result.metrics:
        held = [row["ci_low"], row["value"], row["ci_high"]]
        assert np.isnan(held).any() or held == sorted(held), row


class Collapsed(CentroidModel):
    """Every frame has the same latent."""

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        return torch.zeros(*pixels_BTHWC.shape[:2], 2)

    def predict(self, z_BTD: Tensor, action_BTKA: Tensor) -> Tensor:
        return z_BTD

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        return z_BTD[:, -1:].repeat(1, action_BHKA.shape[1], 1)


def test_a_collapsed_model_is_surprised_by_nothing(source: MemorySource) -> None:
    result = run(Collapsed(), source)
    for row in result.metrics:
        chance = {"auroc": 0.5, "pairwise_accuracy": 0.5, "wilcoxon_p": 1.0, "effect_size": 0.0}
        chance |= {"detection_rate": 0.0, "false_alarm_rate": 0.0, "detected_in_episode": 0.0}
        assert row["value"] == chance.get(row["metric"], row["value"]), row
    assert not {"half_noticed_strength", "detection_delay"} & {row["metric"] for row in result.metrics}


class Broken(CentroidModel):
    """Predicts what is no number."""

    def predict(self, z_BTD: Tensor, action_BTKA: Tensor) -> Tensor:
        return super().predict(z_BTD, action_BTKA) * torch.nan


def test_a_model_that_predicts_no_numbers_is_refused_in_a_sentence(source: MemorySource) -> None:
    with pytest.raises(InputError, match="latents that the model predicts are not finite"):
        run(Broken(), source)


def test_recorded_frames_give_their_surprise_and_their_false_alarms(source: MemorySource) -> None:
    result = run(CentroidModel(), source, unit="test/recorded")
    recorded, alarms = result.metrics
    assert (recorded["metric"], recorded["n"]) == ("surprise_recorded", 24)
    assert (alarms["metric"], alarms["n"]) == ("false_alarm_rate", 24) and alarms["value"] < 0.05
    assert result.tables == {"steps": [], "doses": []}
