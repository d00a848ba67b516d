"""Whole evaluations in process: their rows, and their figures on models whose worth is known."""

import json
import pickle
import struct
import zlib

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation import EVALUATIONS, PROTOCOLS, evaluate, get_protocol
from jepa.evaluation.latent.evaluation import effective_rank, straightness
from jepa.evaluation.latents import encode_split
from jepa.evaluation.planning.evaluation import PlanningConfig, PlanningEvaluation
from jepa.evaluation.png import encode_png
from jepa.evaluation.probing.evaluation import ProbingConfig, ProbingEvaluation
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import LatentCEMConfig, OracleConfig
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

TINY = get_protocol("tiny-v1")
SMALL_PLANNING = PlanningConfig(
    problems=12,
    cem=LatentCEMConfig(samples=100, elites=10, iterations=5, chunk=100),
    oracle=OracleConfig(samples=100, elites=10, iterations=8, chunk=1200),
    frames_shown=3,
    position_frames=300,
)
METRIC_COLUMNS = set(
    [
        "split",
        "evaluation",
        "protocol",
        "planner",
        "probe",
        "seed",
        "shift",
        "strength",
        "quantity",
        "goal",
        "metric",
        "value",
        "n",
        "ci_low",
        "ci_high",
        "unit",
        "seconds",
    ]
)


@pytest.fixture(scope="module")
def source() -> MemorySource:
    return MemorySource({"train": 40, "validation": 8, "test": 20, "unseen": 8})


@pytest.fixture(scope="module")
def model() -> WorldModel:
    return WorldModel.from_config(ModelConfig(latent_size=8, encoder_options={"channels": (8, 16, 16)}))


def figures(rows, *names):
    return {tuple(row[name] for name in (*names, "metric")): row["value"] for row in rows}


def test_every_kind_has_metrics_of_the_fixed_columns(source: MemorySource, model: WorldModel) -> None:
    assert EVALUATIONS.names() == ["decoding", "latent", "planning", "probing", "surprise"]
    for kind in EVALUATIONS:
        result = evaluate(kind, model, source, "tiny-v1", seed=7)
        assert {row["split"] for row in result.metrics} == {"test", "unseen"}
        for row in result.metrics:
            assert set(row) == METRIC_COLUMNS
            assert (row["evaluation"], row["protocol"], row["seed"]) == (kind, "tiny-v1", 7)
            assert row["seconds"] > 0 and row["n"] > 0 and np.isfinite(row["value"])
            assert not row["value"] < row["ci_low"] - 1e-9 and not row["value"] > row["ci_high"] + 1e-9


def test_units_are_the_same_anywhere_and_survive_pickling(source: MemorySource, model: WorldModel) -> None:
    evaluation = TINY.evaluation("planning")
    units = evaluation.units(source)
    assert set(units) <= {f"{split}/{kind}" for split in ("test", "unseen") for kind in ("uniform", "cross_room")}
    assert "test/uniform" in units
    again = pickle.loads(pickle.dumps(evaluation))
    first, second = (one.run("test/uniform", model, source, 0).tables["episodes"] for one in (evaluation, again))
    keys = ("problem", "planner", "success", "final_distance", "path", "planned_path")
    assert [[row[key] for key in keys] for row in first] == [[row[key] for key in keys] for row in second]


def test_planning_rows_and_regret(source: MemorySource) -> None:
    evaluation = PlanningEvaluation(SMALL_PLANNING, "p-v1")
    result = evaluation.run("test/uniform", CentroidModel(), source, seed=0)  # type: ignore[arg-type]
    values = figures(result.metrics, "planner", "quantity")
    assert values["oracle", None, "success_rate"] == 1.0
    assert values["oracle", "success", "regret"] == 0.0 and values["oracle", "final_distance", "regret"] == 0.0
    assert values["random", "success", "regret"] == pytest.approx(1 - values["random", None, "success_rate"])
    assert values["random", "final_distance", "regret"] > values["cem", "final_distance", "regret"] > 0
    rows = result.tables["episodes"]
    assert len(rows) == 3 * 12
    by_planner = {name: [row for row in rows if row["planner"] == name] for name in ("cem", "oracle", "random")}
    mean = np.mean([row["final_distance"] - row["oracle_final_distance"] for row in by_planner["cem"]])
    assert values["cem", "final_distance", "regret"] == pytest.approx(mean)
    for cem, oracle in zip(by_planner["cem"], by_planner["oracle"], strict=True):
        assert cem["problem"] == oracle["problem"] and cem["start_state"] == oracle["start_state"]
        assert cem["oracle_final_distance"] == oracle["final_distance"]
        assert np.shape(cem["path"]) == (51, 2) and np.shape(cem["planned_path"]) == (6, 2)
        assert np.shape(oracle["planned_path"]) == (26, 2)
        np.testing.assert_allclose(oracle["planned_path"], oracle["path"][:26], atol=1e-6)
        assert cem["goal_point"] == pytest.approx(json.loads(cem["goal_state"])["agent_position"], abs=1e-6)
        assert cem["frame_extent"] == [0.0, 1.0, 1.0, 0.0]
    assert sum("start_frame" in row for row in by_planner["cem"]) == 3
    # The latent is the position, so that the plan's drawing must lead to where the model takes it: near the goal.
    ends = [np.linalg.norm(np.subtract(row["planned_path"][-1], row["goal_point"])) for row in by_planner["cem"]]
    assert np.median(ends) < 0.08


def test_planning_refuses_a_plan_shorter_than_what_is_carried_out(source: MemorySource) -> None:
    config = SMALL_PLANNING.model_copy(update={"replan_every": 30})
    with pytest.raises(InputError, match="replan_every 30"):
        PlanningEvaluation(config, "p-v1").run("test/uniform", CentroidModel(), source, 0)  # type: ignore[arg-type]


def test_planning_refuses_a_source_of_short_episodes() -> None:
    with pytest.raises(InputError, match="longer episodes"):
        PlanningEvaluation(PlanningConfig(), "p-v1").units(MemorySource({"test": 3}, steps=20))


def test_probing_of_a_latent_that_is_the_position(source: MemorySource) -> None:
    config = ProbingConfig(train_frames=1500, validation_frames=200, test_frames=600, predictions=100)
    result = ProbingEvaluation(config, "p-v1").run("probes", CentroidModel(), source, seed=0)  # type: ignore[arg-type]
    values = figures(result.metrics, "split", "probe", "quantity")
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


def test_only_the_split_asked_for_is_encoded(source: MemorySource) -> None:
    frames = encode_split(CentroidModel(), source, "test", 100, seed=0)  # type: ignore[arg-type]
    assert len(frames.z_ND) == 100 and set(frames.episode_N) == {episode.index for episode in source.by_split["test"]}
    np.testing.assert_allclose(frames.z_ND, frames.state["agent_position"], atol=0.02)
    with pytest.raises(InputError, match="no 'train'"):
        encode_split(CentroidModel(), MemorySource({"test": 1}), "train", 10, seed=0)  # type: ignore[arg-type]


def test_probing_needs_training_and_test_episodes() -> None:
    with pytest.raises(InputError, match="'train'"):
        evaluate("probing", CentroidModel(), MemorySource({"test": 1}), "tiny-v1")  # type: ignore[arg-type]


def test_effective_rank_and_straightness_of_known_latents() -> None:
    assert effective_rank(np.eye(7)) == pytest.approx(7)
    assert effective_rank(np.diag([1.0, 1.0, 0, 0])) == pytest.approx(2)
    assert straightness(np.outer(np.arange(5.0), [1, 2, 3])) == pytest.approx(1)
    assert straightness(np.array([[0.0, 0], [1, 0], [1, 1]])) == pytest.approx(0)
    assert np.isnan(straightness(np.zeros((5, 2))))


def test_protocols_carry_their_name_and_the_papers_sizes() -> None:
    assert all(name == protocol.name for name, protocol in PROTOCOLS.items())
    cem, planning = PROTOCOLS["lewm-v3"].planning.cem, PROTOCOLS["lewm-v3"].planning
    assert (cem.samples, cem.elites, cem.iterations, cem.horizon) == (300, 30, 30, 5)
    assert (planning.problems, planning.ahead, planning.budget, planning.replan_every) == (50, 25, 50, 25)
    with pytest.raises(InputError, match="two-room-v1"):
        get_protocol("lewm")


def test_png_holds_the_very_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    data = encode_png(pixels)
    assert data.startswith(b"\x89PNG\r\n\x1a\n") and struct.unpack(">II", data[16:24]) == (7, 5)
    start = data.index(b"IDAT") + 4
    lines = np.frombuffer(zlib.decompress(data[start:]), dtype=np.uint8).reshape(5, 22)
    np.testing.assert_array_equal(lines[:, 1:].reshape(5, 7, 3), pixels)
    with pytest.raises(ValueError, match="uint8"):
        encode_png(pixels.astype(np.float32))  # type: ignore[arg-type]
