"""What belongs to nothing is found, on a folder and on S3; what is named, young, in use or damaged never is."""

from datetime import timedelta
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from infra.work_log import JobRecord, utc_now
from pipelines.collect import collect
from pipelines.evaluate import EvaluateConfig, evaluate
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store.garbage import find_garbage
from pipelines.store.logs import LogFolder
from pipelines.store.verify import verify_store
from tests.pipelines.small_dataset import small_config, small_dataset

AT_ONCE = timedelta(seconds=-60)
LEFT = {
    "datasets/d0/.tmp-0123": "unfinished write",
    "datasets/d0/shards/train/shard-000099.mds": "no committed version",
    "datasets/d0/versions/000003/plan.json": "no committed version",
    "datasets/d9/versions/000001/plan.json": "no committed version",
    "models/m0/checkpoints/step-00000007/state.safetensors": "no mark",
    "models/m0/weights/0123.safetensors": "no manifest",
    "reports/kind=metrics/part-latent-test-0123.4567.parquet": "superseded",
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two versions of a dataset, a model whose training went on, and a run."""
    store = open_store(str(tmp_path_factory.mktemp("store")))
    small_dataset(store, name="d0")
    base = {"dataset": "d0", "name": "m0", "recipe": "smoke", "executor": "local", "trackers": (), "batch_size": 4}
    pretrain(PretrainConfig(**base, steps=1), store)
    pretrain(PretrainConfig(**base | {"dataset": "d0@1"}, steps=2), store)
    collect(small_config(name="d0", episodes=44), store)
    evaluate(EvaluateConfig(model="m0", kinds=("latent",), run="r0", executor="local"), store)
    return store


def copy(original: Store, store: Store) -> None:
    for path in original.list():
        store.write(path, original.read(path))


def test_a_sound_store_holds_none(original: Store, early_store: Store) -> None:
    assert find_garbage(original, AT_ONCE).garbage == () == find_garbage(early_store, AT_ONCE).garbage


def test_all_that_is_left_is_found_and_the_rest_stays_whole(original: Store, store: Store) -> None:
    copy(original, store)
    for path in LEFT:
        store.write(path, b"left")
    assert find_garbage(store, timedelta(days=1)).garbage == ()
    sweep = find_garbage(store, AT_ONCE)
    assert {one.path: one.why for one in sweep.garbage} == LEFT and sweep.left_out == ()
    for one in sweep.garbage:
        store.delete(one.path)
    assert set(store.list()) == set(original.list()) and not set(LEFT) & set(store.written())
    assert verify_store(store).ok and verify_store(store).unknown == ()


def test_what_is_in_use_or_damaged_is_left_as_it_is(original: Store, tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    copy(original, store)
    for path in LEFT:
        store.write(path, b"left")
    now = utc_now()
    fields = {"kind": "collect", "name": "d0", "run": "r", "status": "running", "host": "node", "pid": 7}
    record = JobRecord.model_validate(fields | {"config": {}, "started": now, "code_version": "0", "heartbeat": now})
    LogFolder(store, "collect", "d0").write_job(record)
    sweep = find_garbage(store, AT_ONCE)
    assert not any(one.path.startswith(("datasets/d0/s", "reports/")) for one in sweep.garbage)
    assert any("datasets/d0 is in use by collect-d0" in sentence for sentence in sweep.left_out)
    LogFolder(store, "collect", "d0").write_job(record.model_copy(update={"status": "done"}))
    store.write("models/m0/config.json", b"{}")
    store.write("reports/manifests/odd.json", b"no JSON")
    sweep = find_garbage(store, AT_ONCE)
    assert not any(one.path.startswith(("models/m0/weights", "reports/")) for one in sweep.garbage)
    assert len(sweep.left_out) == 2
