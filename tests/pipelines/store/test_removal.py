"""What others depend on stays, and what goes leaves nothing that looks whole, however early it is cut off."""

from datetime import timedelta
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from infra.work_log import JobRecord, utc_now
from jepa.core.errors import InputError
from pipelines.evaluate import EvaluateConfig, evaluate
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store.inventory import inventory
from pipelines.store.logs import LogFolder
from pipelines.store.removal import kinds_of, plan_removal, remove
from pipelines.store.verify import verify_store
from tests.pipelines.small_dataset import small_dataset


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A dataset, a model of it, one that starts from that, and two runs that share their units."""
    store = open_store(str(tmp_path_factory.mktemp("store")))
    small_dataset(store, name="d0")
    base = {"dataset": "d0", "recipe": "smoke", "executor": "local", "trackers": (), "batch_size": 4, "steps": 1}
    pretrain(PretrainConfig(**base, name="m0"), store, run="training")
    pretrain(PretrainConfig(**base, name="m1", init_from="m0"), store, run="training")
    for run in ("r0", "r1"):
        evaluate(EvaluateConfig(model="m0", kinds=("latent",), run=run, executor="local"), store)
    return store


@pytest.fixture
def store(original: Store, tmp_path: Path) -> Store:
    copied = open_store(str(tmp_path))
    for path in original.list():
        copied.write(path, original.read(path))
    return copied


def removed(store: Store, kind: str, name: str) -> None:
    remove(store, plan_removal(store, kind, name))  # type: ignore[arg-type]  # a test's words


def test_what_others_depend_on_stays(store: Store) -> None:
    with pytest.raises(InputError, match=r"model 'm0@\w+' was trained on d0@1; .*m1.*; run 'r0' holds figures of it"):
        plan_removal(store, "dataset", "d0")
    with pytest.raises(InputError, match=r"model 'm1@\w+' started from m0@\w+; run 'r0' holds figures"):
        plan_removal(store, "model", "m0")


@pytest.mark.parametrize("runs", [("r1", "r0"), ("r0", "r1", "r0")], ids=" ".join)
def test_from_the_last_to_the_first_all_of_it_can_go(runs: tuple[str, ...], store: Store) -> None:
    shared = plan_removal(store, "run", "r0")
    assert shared.kept and not any(path.startswith("reports/kind=") for path in shared.paths)
    for kind, name in (*(("run", run) for run in runs), ("run", "training"), ("model", "m1"), ("model", "m0")):
        assert kind in kinds_of(store, name)
        removed(store, kind, name)
        assert verify_store(store).ok
    removed(store, "dataset", "d0")
    assert {path.split("/")[0] for path in store.list()} == {"logs"}


@pytest.mark.parametrize(("kind", "name"), [("dataset", "d0"), ("model", "m0")])
def test_a_removal_that_is_cut_off_leaves_nothing_that_looks_whole_and_goes_on(
    store: Store, kind: str, name: str
) -> None:
    for run in ("r1", "r0", "training"):
        removed(store, "run", run)
    removed(store, "model", "m1")
    if kind == "dataset":
        removed(store, "model", "m0")
    removal = plan_removal(store, kind, name)  # type: ignore[arg-type]  # a test's words
    first = next(number for number, path in enumerate(removal.paths) if "/shards/" in path or "/weights/" in path)
    for path in removal.paths[:first]:
        store.delete(path)
    held = inventory(store)
    assert not (held.models if kind == "model" else held.datasets)
    assert f"{kind}s/{name}" in held.unfinished and held.damaged == ()
    removed(store, kind, name)
    assert kinds_of(store, name) == []


def test_what_a_job_works_on_stays(store: Store) -> None:
    now = utc_now()
    fields = {"kind": "pretrain", "name": "m7", "run": "r", "status": "running", "host": "node", "pid": 7}
    fields |= {"config": {"dataset": "d0@1"}, "started": now, "code_version": "0", "heartbeat": now}
    LogFolder(store, "pretrain", "m7").write_job(JobRecord.model_validate(fields))
    with pytest.raises(InputError, match="dataset 'd0' is in use by pretrain-m7"):
        plan_removal(store, "dataset", "d0")
    silent = fields | {"heartbeat": now - timedelta(minutes=5)}
    LogFolder(store, "pretrain", "m7").write_job(JobRecord.model_validate(silent))
    with pytest.raises(InputError, match="dataset 'd0' is not removed"):
        plan_removal(store, "dataset", "d0")


def test_a_run_is_no_other_folder_of_the_reports(store: Store) -> None:
    evaluate(EvaluateConfig(model="m1", kinds=("latent",), run="manifests", executor="local"), store)
    before = set(store.list("reports/manifests/"))
    removal = plan_removal(store, "run", "manifests")
    assert not set(removal.paths) >= before
    remove(store, removal)
    assert "manifests" not in {run.run for run in inventory(store).runs} and verify_store(store).ok
    assert {run.run for run in inventory(store).runs} == {"r0", "r1", "training"}
