"""Every fifth request to S3 fails (503 SlowDown, a reset connection, silence): dataset and model come out the same."""

from pathlib import Path

import pytest

from infra.storage import open_store
from infra.storage.patience import Patience
from infra.storage.s3_server import S3Server
from pipelines.collect import collect
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store import Dataset, DatasetHandle, verify
from tests.chaos.faulty_s3 import FAULTS, faulty_proxy
from tests.pipelines.small_dataset import small_config, small_dataset, stored_bytes
from tests.pipelines.small_model import stored_weights

pytestmark = [pytest.mark.slow, pytest.mark.s3]


def test_a_fifth_of_all_requests_fails(
    tmp_path: Path, s3: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = open_store(str(tmp_path))
    collect(small_config(), undisturbed)
    monkeypatch.setattr(
        "infra.storage.patience.PATIENT", Patience(read=1)
    )  # a minute each would make this test an hour
    with faulty_proxy(s3_server.endpoint, share=0.2, seed=1, silence=3) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        store = open_store(s3)
        collect(small_config(retries=5), store)
        assert verify(DatasetHandle(store, "small")).ok
        assert sum(1 for _ in Dataset(store, "small").episodes("train")) == 30
    assert all(proxy.seen[fault] for fault in FAULTS)
    assert 0.1 < 1 - proxy.seen["fine"] / proxy.seen.total() < 0.3
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    assert stored_bytes(open_store(s3)) == stored_bytes(undisturbed)


def test_a_training_goes_on(tmp_path: Path, s3: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"dataset": "small", "name": "m0", "recipe": "smoke", "executor": "local", "workers": 1, "steps": 90}
    config, undisturbed = PretrainConfig.model_validate(fields), open_store(str(tmp_path))
    for store in (undisturbed, open_store(s3)):
        small_dataset(store, steps=40)
    pretrain(config, undisturbed)
    monkeypatch.setattr("infra.storage.patience.PATIENT", Patience(read=1))
    with faulty_proxy(s3_server.endpoint, share=0.2, seed=3, silence=3) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        pretrain(config, open_store(s3))
    assert proxy.seen.total() - proxy.seen["fine"] >= 5
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    assert stored_weights(open_store(s3), "m0") == stored_weights(undisturbed, "m0")
