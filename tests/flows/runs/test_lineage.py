"""What a run says of what it made: keys that Prefect takes, and nothing that could fail the job."""

import logging
from pathlib import Path
from typing import Any

import pytest
from prefect.assets import Asset

from flows.runs import lineage
from infra.storage import open_store
from tests.pipelines.small_dataset import small_dataset


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
