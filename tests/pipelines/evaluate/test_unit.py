"""A unit: named by its content, done from held-out episodes alone, on the device that it is given."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.episodes import Episode
from jepa.evaluation import EVALUATIONS
from jepa.models.world_model import WorldModel
from pipelines.device import Device
from pipelines.evaluate import EvaluationUnit, evaluate_unit, plan_evaluation
from pipelines.evaluate import unit as unit_module
from pipelines.store import Dataset
from pipelines.store.references import DatasetRef, ModelRef
from pipelines.store.reports import read_table, read_unit
from tests.pipelines.evaluate.asked import config

UNIT = EvaluationUnit(
    store_uri="runs",
    model=ModelRef(name="m0", digest="a" * 64),
    dataset=DatasetRef(name="d0", version=1, digest="d" * 64),
    kind="planning",
    version=1,
    part="test/uniform",
    protocol="tiny-v1",
    settings={"problems": 4, "cem": {"samples": 32}},
    seed=0,
    run="a",
)


def test_a_key_reads_as_kind_part_and_digest() -> None:
    assert UNIT.key.startswith("planning-test=uniform-") and len(UNIT.key.rpartition("-")[2]) == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"model": ModelRef(name="m0", digest="b" * 64)},
        {"model": ModelRef(name="m1", digest="a" * 64)},
        {"dataset": DatasetRef(name="d0", version=2, digest="d" * 64)},
        {"dataset": DatasetRef(name="d0", version=1, digest="e" * 64)},
        {"kind": "surprise"},
        {"version": 2},
        {"part": "test/cross_room"},
        {"protocol": "tiny-v2"},
        {"settings": {"problems": 4, "cem": {"samples": 33}}},
        {"seed": 1},
    ],
)
def test_whatever_the_figures_depend_on_makes_another_unit(changes: dict[str, Any]) -> None:
    assert replace(UNIT, **changes).key != UNIT.key


@pytest.mark.parametrize(
    "changes",
    [{"run": "b"}, {"device": "cuda"}, {"force": True}, {"store_uri": "s3://b/p"},
     {"settings": {"cem": {"samples": 32}, "problems": 4}}],
)  # fmt: skip
def test_whatever_they_do_not_depend_on_makes_the_same(changes: dict[str, Any]) -> None:
    assert replace(UNIT, **changes).key == UNIT.key


def test_no_evaluation_reads_what_it_must_not(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only probes may look at training frames, to be fitted; plans and surprises come from held-out episodes alone."""
    seen: dict[str, set[str]] = {}
    kind = "planning of the units"
    real = Dataset.episodes_at

    def watched(self: Dataset, split: str, indices: Collection[int]) -> Iterator[Episode]:
        seen.setdefault(kind, set()).add(split)
        return real(self, split, indices)

    monkeypatch.setattr(Dataset, "episodes_at", watched)
    for unit in plan_evaluation(config(force=True), mine).units:
        kind = unit.kind
        evaluate_unit(unit)
    assert seen["surprise"] == {"test", "unseen", "validation"}, "thresholds are set on validation episodes"
    assert seen["latent"] <= {"test", "unseen"}
    episodes = read_table(mine, "episodes", columns=["episode", "split", "dataset"]).compute()
    rows = {row["episode"]: row["split"] for row in Dataset(mine, "d0").episode_rows.to_pylist()}
    assert all(rows[episode] == split for episode, split in zip(episodes.episode, episodes.split, strict=True))
    assert set(episodes.split) == {"test", "unseen"}


def test_rows_say_what_they_come_from(judged: Store) -> None:
    plan = plan_evaluation(config(), judged)
    metrics = read_table(judged, "metrics").compute()
    digests: dict[str, set[str | None]] = {unit.kind: set() for unit in plan.units}
    for unit in plan.units:
        manifest = read_unit(judged, unit.key)
        assert manifest is not None
        digests[unit.kind].add(manifest.protocol_digest)
        assert (manifest.model_digest, manifest.dataset_reference) == (plan.model.digest, plan.dataset)
        assert manifest.evaluation_version == unit.version
    assert {len(own) for own in digests.values()} == {1} and len(set.union(*digests.values())) == len(digests)
    assert set(metrics.model_digest) == {plan.model.digest} and set(metrics.dataset_version) == {1}
    assert set(metrics.dataset_digest) == {plan.dataset.digest}
    training = metrics[metrics.evaluation == "training"]
    assert len(training) and training.protocol_digest.notna().all() and training.evaluation_version.isna().all()


def test_the_very_version_and_weights_are_opened_or_said_to_be_gone(mine: Store) -> None:
    unit = next(unit for unit in plan_evaluation(config(kinds=["latent"], force=True), mine).units)
    gone = replace(unit, dataset=DatasetRef(name="d0", version=2, digest="d" * 64))
    with pytest.raises(InfraError, match="dataset d0@2 is gone"):
        evaluate_unit(gone)
    other = replace(unit, model=ModelRef(name="m0", digest="b" * 64))
    with pytest.raises(InfraError, match="model m0@bbbbbbbb is gone"):
        evaluate_unit(other)


def test_another_version_of_the_evaluation_here_than_where_it_was_planned_is_refused(
    judged: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = next(unit for unit in plan_evaluation(config(kinds=["latent"], seed=1), judged).units)
    planned = EVALUATIONS.get("latent").version
    monkeypatch.setattr(EVALUATIONS.get("latent"), "version", 99)
    sentence = f"'latent' has version {planned} where it was planned and 99 here; run the same code"
    with pytest.raises(InfraError, match=sentence):
        evaluate_unit(unit)


def test_the_model_is_put_on_the_device(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[torch.device] = []
    real = WorldModel.to

    def watched(self: WorldModel, device: torch.device) -> WorldModel:
        moved.append(device)
        return real(self, "cpu")

    monkeypatch.setattr(WorldModel, "to", watched)
    monkeypatch.setattr(
        unit_module, "torch_device", lambda wanted: torch.device({"cuda": "cuda", "cpu": "cpu"}[wanted])
    )
    unit_module._model.cache_clear()
    devices: tuple[Device, ...] = ("cpu", "cuda", "cuda")
    for device in devices:
        unit = next(unit for unit in plan_evaluation(config(kinds=["latent"], force=True), mine).units)
        evaluate_unit(replace(unit, device=device))
    # Read once for each device.
    assert [device.type for device in moved] == ["cpu", "cuda"]
    unit_module._model.cache_clear()
