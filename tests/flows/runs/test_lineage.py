"""What a run says of what it made: keys that Prefect takes, and nothing that could fail the job."""

import logging
from pathlib import Path
from typing import Any

import pytest
from prefect.assets import Asset

from flows.runs import lineage
from infra.storage import open_store
from pipelines.store.references import DatasetRef, ModelRef
from tests.pipelines.small_dataset import small_dataset
from tests.pipelines.store.test_model_handle import committed


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("s3://bucket/prefix/datasets/d0@2", "s3://bucket/prefix/datasets/d0@2"),
        ("/home/me/runs/models/m0@1a2b3c4d", "file:///home/me/runs/models/m0@1a2b3c4d"),
    ],
)
def test_an_address_is_its_own_key(address: str, key: str) -> None:
    assert lineage.asset_key(address) == key == Asset(key=key).key


def test_addresses_that_prefect_refuses_get_keys_of_their_own() -> None:
    addresses = ["/my runs/d0@1", "/my_runs/d0@1", "/my#runs/d0@1", f"/{'x' * 600}/d0@1", f"/{'x' * 600}/d0@2"]
    keys = [lineage.asset_key(address) for address in addresses]
    assert len(set(keys)) == len(keys) and [Asset(key=key).key for key in keys] == keys


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the events that are sent from here on."""
    names: list[str] = []

    def send(event: str, **_: Any) -> None:
        names.append(event)

    monkeypatch.setattr(lineage, "emit_event", send)
    monkeypatch.setattr("prefect.events.emit_event", send)
    return names


def test_outside_of_a_run_nothing_is_sent(tmp_path: Path, sent: list[str]) -> None:
    store = open_store(str(tmp_path))
    lineage.record_dataset(small_dataset(store, name="d0").manifest, store)
    assert sent == []


def test_an_event_that_cannot_be_sent_is_a_warning(
    tmp_path: Path, sent: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("event too large")

    store = open_store(str(tmp_path))
    manifest = small_dataset(store, name="d0").manifest
    monkeypatch.setattr("flows.runs.lineage.TaskRunContext.get", lambda: "a task")
    lineage.record_dataset(manifest, store)
    assert sent == [lineage.DATASET_COMMITTED, "prefect.asset.materialization.succeeded"]
    monkeypatch.setattr(lineage, "emit_event", refuse)
    with caplog.at_level(logging.WARNING):
        lineage.record_dataset(manifest, store)
    assert "event too large" in caplog.text


def test_a_model_is_made_from_a_version_and_from_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, sent = open_store(str(tmp_path)), dict[str, dict[str, Any]]()

    def send(event: str, **facts: Any) -> None:
        sent[event] = facts

    for name in ("flows.runs.lineage.emit_event", "prefect.events.emit_event"):
        monkeypatch.setattr(name, send)
    monkeypatch.setattr("flows.runs.lineage.TaskRunContext.get", lambda: "a task")
    first, before = ModelRef(name="m9", digest="9" * 64), ModelRef(name="m0", digest="8" * 64)
    dataset = DatasetRef(name="d0", version=2, digest="7" * 64)
    manifest = committed(store, 1, dataset_ref=dataset, init_from=first).model_copy(update={"continued_from": before})
    lineage.record_model(manifest, store)
    made = sent["prefect.asset.materialization.succeeded"]
    assert made["resource"]["prefect.resource.id"] == f"file://{tmp_path}/models/{manifest.reference}"
    assert made["payload"]["digest"] == manifest.digest and made["payload"]["dataset"] == "d0@2"
    wanted = {f"file://{tmp_path}/{path}" for path in ("datasets/d0@2", "models/m9@99999999", "models/m0@88888888")}
    for facts in (made, sent[lineage.MODEL_COMMITTED]):
        assert {other["prefect.resource.id"] for other in facts["related"]} == wanted
