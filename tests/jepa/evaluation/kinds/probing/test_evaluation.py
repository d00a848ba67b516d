"""The evaluation `probing`: what is in a latent is found, what is not is not."""

from typing import Any

import pytest

from jepa.core.errors import InputError
from jepa.evaluation import ProbingConfig, ProbingEvaluation, evaluate
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

MODEL: Any = CentroidModel()


def test_probing_of_a_latent_that_is_the_position(source: MemorySource) -> None:
    config = ProbingConfig(train_frames=1500, validation_frames=200, test_frames=600, predictions=100)
    result = ProbingEvaluation(config, "p-v1").run("probes", MODEL, source, seed=0)
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


def test_probing_needs_training_and_test_episodes() -> None:
    with pytest.raises(InputError, match="'train'"):
        evaluate("probing", MODEL, MemorySource({"test": 1}), "tiny-v1")
