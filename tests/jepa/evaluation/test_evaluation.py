"""What holds for every evaluation: its rows, its units, its name; and results that are put together."""

import pickle

import numpy as np
import pytest

from jepa.core.config import Config
from jepa.evaluation import EVALUATIONS, EvaluationResult, evaluate, get_protocol
from jepa.evaluation.declarations import Declarations
from jepa.evaluation.evaluation import declared, metric_row, present_splits
from jepa.evaluation.statistics import Estimate
from jepa.models.world_model import WorldModel
from tests.jepa.evaluation.standins import MemorySource

METRIC_COLUMNS = {
    *("split", "evaluation", "protocol", "planner", "probe", "seed", "shift", "strength", "quantity", "goal"),
    *("metric", "value", "n", "ci_low", "ci_high", "unit", "seconds", "privileged"),
}
OF_PLANNING = {"offset", "success_kind"}
"""Which figures on problems are apart; none of another kind has them."""
OF_PROBING = {"latents", "frames", "blocks_ahead", "settings"}
"""What was read, and by what."""
OF_SURPRISE = {"blocks_ahead", "score", "principle", "physical"}
"""Which surprise, and what sort of perturbation."""
OWN = {"probing": OF_PROBING, "surprise": OF_SURPRISE}


@pytest.mark.parametrize("kind", list(EVALUATIONS))
def test_a_kind_has_metrics_of_the_fixed_columns(kind: str, source: MemorySource, model: WorldModel) -> None:
    evaluation = EVALUATIONS.get(kind)
    assert evaluation.kind == kind and issubclass(evaluation.Config, Config)
    result = evaluate(kind, model, source, "tiny-v1", seed=7)
    assert {row["split"] for row in result.metrics} == {"test", "unseen"}
    for row in result.metrics:
        assert set(row) >= METRIC_COLUMNS
        beside = set(row) - METRIC_COLUMNS
        own = OWN.get(kind, OF_PLANNING if evaluation.solves_problems else set())
        assert beside <= own and (beside or kind not in ("planning", "probing"))
        assert (row["evaluation"], row["protocol"], row["seed"]) == (kind, "tiny-v1", 7)
        assert row["privileged"] == (None if row["planner"] is None else row["planner"] == "oracle")
        assert row["seconds"] > 0 and row["n"] > 0 and np.isfinite(row["value"])
        assert not row["value"] < row["ci_low"] - 1e-9 and not row["value"] > row["ci_high"] + 1e-9


def test_the_kinds_of_the_house() -> None:
    assert EVALUATIONS.names() == [
        "decoding",
        "geometry",
        "identifiability",
        "latent",
        "planning",
        "probing",
        "regret_decomposition",
        "spectrum",
        "surprise",
    ]


@pytest.mark.parametrize("kind", list(EVALUATIONS))
def test_what_a_kind_declares_is_known_without_its_class(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EVALUATIONS.get(kind)
    assert declared(kind) == Declarations(entry.tables, entry.headlines, entry.section)
    monkeypatch.setattr(EVALUATIONS, "_entries", {})
    assert declared(kind) == Declarations(entry.tables, entry.headlines, entry.section)
    assert not EVALUATIONS._entries


def test_units_are_the_same_anywhere_and_survive_pickling(source: MemorySource, model: WorldModel) -> None:
    evaluation = get_protocol("tiny-v1").evaluation("planning")
    units = evaluation.units(source)
    assert set(units) <= {f"{split}/{kind}" for split in ("test", "unseen") for kind in ("uniform", "cross_room")}
    assert "test/uniform" in units
    again = pickle.loads(pickle.dumps(evaluation))
    first, second = (one.run("test/uniform", model, source, 0).tables["episodes"] for one in (evaluation, again))
    keys = ("problem", "planner", "success", "final_distance", "path", "planned_path")
    assert [[row[key] for key in keys] for row in first] == [[row[key] for key in keys] for row in second]


def test_results_are_put_together_table_by_table() -> None:
    result = EvaluationResult([{"value": 1}], {"steps": [{"step": 1}]})
    result.extend(EvaluationResult([{"value": 2}], {"steps": [{"step": 2}], "episodes": [{}]}))
    assert result.metrics == [{"value": 1}, {"value": 2}]
    assert result.tables == {"steps": [{"step": 1}, {"step": 2}], "episodes": [{}]}


def test_a_row_has_every_column_and_none_where_one_does_not_apply() -> None:
    row = metric_row(Estimate(0.5, 0.4, 0.6, 9), metric="r2", unit="1", probe="mlp")
    assert (row["value"], row["ci_low"], row["ci_high"], row["n"], row["probe"]) == (0.5, 0.4, 0.6, 9, "mlp")
    assert row["planner"] is None and row["goal"] is None


def test_figures_come_from_held_out_splits_alone() -> None:
    assert present_splits(MemorySource({"train": 2, "test": 1}, steps=5)) == ["test"]
