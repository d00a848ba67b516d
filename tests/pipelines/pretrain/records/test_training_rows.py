"""A finished training's rows: its curve once, its last figures, and nothing of what an earlier manifest has."""

import pytest

from infra.storage import Store, open_store
from pipelines.pretrain.records.training_rows import write_training_rows
from pipelines.store.models.curve import Curve, write_curve
from pipelines.store.models.manifest import ModelHandle, ModelManifest
from pipelines.store.references import DatasetRef
from pipelines.store.reports import committed_units, read_table
from tests.pipelines.store.test_model_handle import RECIPE, committed

D0 = DatasetRef(name="d0", version=1, digest="ab" * 32)


def recipe_of(steps: int) -> object:
    return RECIPE.model_copy(update={"train": RECIPE.train.model_copy(update={"steps": steps})})


@pytest.fixture
def local_store(tmp_path: object) -> Store:
    store = open_store(str(tmp_path))
    curve = Curve()
    for step in (1, 5, 10, 15, 20):
        curve.add(step, {"loss": 1.0 / step, "learning_rate": 0.1})
    write_curve(ModelHandle(store, "m0"), curve)
    return store


def trained(store: Store, seed: int, steps: int, before: ModelManifest | None = None) -> ModelManifest:
    continued = before.reference if before else None
    return committed(store, seed, recipe=recipe_of(steps), dataset_ref=D0, continued_from=continued)


def test_the_curve_and_its_last_figures_are_written_once(local_store: Store) -> None:
    manifest = trained(local_store, 1, steps=20)
    for _ in range(2):
        write_training_rows(local_store, manifest)
    assert len(committed_units(local_store)) == 1
    training = read_table(local_store, "training").compute()
    assert list(training[training.metric == "loss"].step) == [1, 5, 10, 15, 20]
    metrics = read_table(local_store, "metrics").compute()
    assert dict(zip(metrics.metric, metrics.value, strict=True)) == {"loss": 0.05, "learning_rate": 0.1}
    assert set(metrics.evaluation) == {"training"} and set(metrics.model) == {"m0"} and set(metrics.run) == {"m0"}


def test_a_model_that_was_trained_on_has_the_rows_of_its_own_steps(local_store: Store) -> None:
    first = trained(local_store, 1, steps=10)
    write_training_rows(local_store, first)
    second = trained(local_store, 2, steps=20, before=first)
    write_training_rows(local_store, second)
    training = read_table(local_store, "training").compute()
    assert sorted(training[training.metric == "loss"].step) == [1, 5, 10, 15, 20]
    assert len(committed_units(local_store)) == 2


def test_a_driver_that_was_killed_before_them_writes_them_the_next_time(local_store: Store) -> None:
    manifest = trained(local_store, 1, steps=20)
    assert not committed_units(local_store)
    write_training_rows(local_store, manifest)
    assert committed_units(local_store)


def test_models_of_earlier_code_have_theirs(early_store: Store) -> None:
    before = len(committed_units(early_store))
    write_training_rows(early_store, ModelHandle(early_store, "golden").require())
    assert len(committed_units(early_store)) == before
