"""What a store holds, by version, weights and run, with what each was made from; damage hides nothing else."""

from pathlib import Path

import pytest

from infra.storage import Store, open_store
from pipelines.collect import collect
from pipelines.evaluate import EvaluateConfig, evaluate
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store.inventory import inventory
from tests.pipelines.small_dataset import small_config, small_dataset


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two versions of a dataset, a model of the first whose training went on, one that starts from it, one run."""
    store = open_store(str(tmp_path_factory.mktemp("store")))
    small_dataset(store, name="d0")
    base = {"dataset": "d0@1", "recipe": "smoke", "executor": "local", "trackers": (), "batch_size": 4}
    pretrain(PretrainConfig(**base, name="m0", steps=2), store)
    pretrain(PretrainConfig(**base, name="m0", steps=3), store)
    collect(small_config(name="d0", episodes=44), store)
    pretrain(PretrainConfig(**base, name="m1", steps=1, init_from="m0"), store)
    evaluate(EvaluateConfig(model="m0", dataset="d0@1", kinds=("latent",), run="r0", executor="local"), store)
    return store


def test_versions_weights_and_runs_say_what_they_came_from(store: Store) -> None:
    held = inventory(store)
    assert [(entry.dataset, entry.episodes, entry.newest) for entry in held.datasets] == [
        ("d0@2", 44, True),
        ("d0@1", 40, False),
    ]
    first, second, third = held.models
    assert (first.steps, first.newest, second.steps, second.newest) == (3, True, 2, False)
    assert {entry.dataset for entry in held.models} == {"d0@1"} and third.init_from == first.model
    assert all(entry.bytes and entry.bytes > 4 * entry.parameters for entry in held.models)
    (judged,) = [run for run in held.runs if run.run == "r0"]
    assert judged.models == (first.model,) and judged.datasets == ("d0@1",) and judged.units > 0
    assert held.damaged == held.unfinished == ()


def test_what_is_damaged_or_unfinished_is_named_and_hides_nothing_else(store: Store, tmp_path: Path) -> None:
    copied = open_store(str(tmp_path))
    for path in store.list():
        copied.write(path, store.read(path))
    copied.write("datasets/d1/versions/000001/plan.json", b"{}")
    copied.write("models/m1/config.json", b"{}")
    copied.write("reports/manifests/odd.json", b"{}")
    held = inventory(copied)
    assert [entry.dataset for entry in held.datasets] == ["d0@2", "d0@1"]
    assert {entry.model.split("@")[0] for entry in held.models} == {"m0"} and held.runs == ()
    assert held.unfinished == ("datasets/d1",)
    assert len(held.damaged) == 2 and "models/m1/config.json" in held.damaged[0] and "odd.json" in held.damaged[1]
    for path in copied.list("models/m0/weights/"):
        copied.delete(path)
    assert {entry.bytes for entry in inventory(copied).models} == {None}
