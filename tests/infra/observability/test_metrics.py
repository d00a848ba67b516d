"""Figures go to Ray's metrics as the list says, and nowhere where there is no Ray."""

from typing import Any

import pytest

from infra.observability import metrics
from infra.observability.metric_names import METRICS
from infra.observability.metrics import Meter

PREFIXES = {"jepa_collect_", "jepa_pretrain_", "jepa_evaluate_", "jepa_heads_", "jepa_study_", "jepa_run_"}


def test_without_ray_nothing_is_made_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "is_connected", lambda: False)
    monkeypatch.setattr(metrics, "_make", lambda metric: pytest.fail("a metric was made"))
    meter = Meter("jepa_evaluate_", "m0")
    meter.count("units")
    meter.observe("planner_seconds", [0.1])
    Meter("jepa_pretrain_", "m0").set_known({"loss": 0.5, "prediction": 0.4})


def test_each_is_made_as_it_is_listed_and_carries_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, str, float, dict[str, str]]] = []

    def recorder(kind: str) -> Any:
        class Recorded:
            def __init__(self, name: str, description: str, *rest: Any) -> None:
                assert rest[-1] and all(isinstance(key, str) for key in rest[-1])
                self.name = name

            def __getattr__(self, verb: str) -> Any:
                return lambda value, tags: calls.append((f"{kind} {verb}", self.name, value, tags))

        return Recorded

    monkeypatch.setattr(metrics, "is_connected", lambda: True)
    for kind in ("Counter", "Gauge", "Histogram"):
        monkeypatch.setattr(f"ray.util.metrics.{kind}", recorder(kind))
    collect, evaluate = Meter("jepa_collect_", "d0"), Meter("jepa_evaluate_", "m0")
    collect.count("frames", 41)
    collect.count("retries", 0)  # Ray refuses it
    collect.set_known({"frames_per_second": 9.0, "unlisted": 1.0})
    evaluate.observe("planner_seconds", [0.5])
    dataset, model = {"dataset": "d0"}, {"model": "m0"}
    assert calls == [
        ("Counter inc", "jepa_collect_frames", 41, dataset),
        ("Gauge set", "jepa_collect_frames_per_second", 9.0, dataset),
        ("Histogram observe", "jepa_evaluate_planner_seconds", 0.5, model),
    ]


def test_every_listed_metric_belongs_to_a_job() -> None:
    """Each job's own test finds its metrics in Ray's export by these prefixes."""
    assert {prefix for metric in METRICS for prefix in PREFIXES if metric.name.startswith(prefix)} == PREFIXES
    assert all(any(metric.name.startswith(prefix) for prefix in PREFIXES) for metric in METRICS)
    assert all(bool(metric.boundaries) == (metric.kind == "histogram") for metric in METRICS)
