"""More steps continue a training, finished or not, under schedules of the new length; nothing else may change."""

import shutil
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.pretrain import check_training, pretrain, read_model
from pipelines.store.models.curve import read_curve
from pipelines.store.models.manifest import ModelHandle, ModelManifest, find_model
from pipelines.store.reports import read_table
from tests.pipelines.small_model import checkpoints_of, small_training, stored_weights, train_until

SCHEDULED = ("learning_rate", "lambda")


@pytest.fixture
def store(small_store: Path, tmp_path: Path) -> Store:
    return open_store(str(shutil.copytree(small_store, tmp_path / "store")))


def scheduled(store: Store, name: str) -> dict[tuple[int, str], float]:
    """Returns the figures of a model's curve that follow a schedule, by step and name."""
    rows = read_curve(ModelHandle(store, name), last_step=100).rows
    return {(int(row["step"]), str(row["metric"])): float(row["value"]) for row in rows if row["metric"] in SCHEDULED}


def segments(manifest: ModelManifest) -> list[tuple[int, int, int]]:
    return [(one.start, one.end, one.steps) for one in manifest.segments]


def test_a_finished_model_is_trained_on(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    first = pretrain(small_training(), store)
    assert segments(first) == [(0, 30, 30)] and first.continued_from is None
    assert checkpoints_of(store, "m0").steps() == [30]
    check_training(small_training(steps=50), store)
    second = pretrain(small_training(steps=50), store)
    assert segments(second) == [(0, 30, 30), (30, 50, 50)] and second.continued_from == first.reference
    assert second.recipe.train.steps == second.request["steps"] == 50 and second.seconds > first.seconds
    assert checkpoints_of(store, "m0").steps() == [50]
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said == [
        "model 'm0' goes on from step 30 of 30: from here on learning rate, loss weights and momenta follow the "
        "schedules of a run of 50 steps"
    ]
    assert "to step 30 under those of 30 steps, then to step 50 under those of 50" in ModelHandle(store, "m0").card()  # type: ignore[operator]


def test_from_there_on_the_schedules_are_those_of_the_longer_run(store: Store) -> None:
    for steps in (30, 50):
        pretrain(small_training(steps=steps), store)
    pretrain(small_training("short"), store)
    pretrain(small_training("long", steps=50), store)
    continued, short, long = (scheduled(store, name) for name in ("m0", "short", "long"))
    assert continued.keys() == long.keys() and {name for _, name in long} == set(SCHEDULED)
    for (step, name), value in continued.items():
        assert value == (short if step <= 30 else long)[step, name], (step, name)
    assert short[30, "learning_rate"] < 1e-2 * long[30, "learning_rate"]  # or there would be nothing to see


def test_a_continued_training_that_is_cut_ends_in_the_same_weights(store: Store) -> None:
    for name in ("whole", "cut"):
        pretrain(small_training(name), store)
    pretrain(small_training("whole", steps=60), store)
    for step in (35, 45):  # before its first checkpoint, and after it
        train_until(step, small_training("cut", steps=60), store)
        manifest = find_model(store, "cut")
        assert manifest is not None and manifest.recipe.train.steps == 30  # still the one before
    manifest = pretrain(small_training("cut", steps=60), store)
    assert segments(manifest) == [(0, 30, 30), (30, 60, 60)]
    assert stored_weights(store, "cut") == stored_weights(store, "whole")


def test_an_unfinished_training_gets_more_steps(store: Store) -> None:
    train_until(22, small_training(), store)
    manifest = pretrain(small_training(steps=50), store)
    assert segments(manifest) == [(0, 20, 30), (20, 50, 50)] and manifest.continued_from is None


def test_steps_grow_again_and_again(store: Store) -> None:
    for steps in (10, 20, 30):
        manifest = pretrain(small_training(steps=steps), store)
    assert segments(manifest) == [(0, 10, 10), (10, 20, 20), (20, 30, 30)]


def test_the_model_before_stays_with_all_that_judged_it(store: Store) -> None:
    first = pretrain(small_training(), store)
    weights = stored_weights(store, "m0")
    second = pretrain(small_training(steps=50), store)
    assert ModelHandle(store, "m0").weights(first) == weights != stored_weights(store, "m0")
    assert read_model(store, first.reference)[0] == read_model(store, f"m0@{first.digest[:8]}")[0] == first
    assert read_model(store, "m0")[0] == second
    # Each logged step once, under the manifest that it belongs to.
    rows = read_table(store, "training").compute()
    assert sorted(rows[rows.metric == "loss"].step) == [1, *range(5, 51, 5)]


def test_fewer_steps_are_refused(store: Store) -> None:
    sentence = (
        r"model 'm0' in .* was trained under a schedule of 50 steps and steps is 30, but steps only grow; ask for 50"
    )
    train_until(22, small_training(steps=50), store)
    with pytest.raises(InputError, match=sentence):
        pretrain(small_training(), store)
    pretrain(small_training(steps=50), store)
    with pytest.raises(InputError, match=sentence):
        pretrain(small_training(), store)


def test_nothing_but_the_steps_may_change(store: Store) -> None:
    pretrain(small_training(), store)
    with pytest.raises(
        InputError, match=r"was trained with batch_size None and not 16, seed 0 and not 1; choose another"
    ):
        pretrain(small_training(steps=50, seed=1, batch_size=16), store)


def test_the_same_number_of_steps_is_the_same_request_however_it_is_given(store: Store) -> None:
    manifest = pretrain(small_training(steps=40), store)
    assert pretrain(small_training(steps=None), store) == manifest  # the recipe's own number


def test_a_model_without_a_checkpoint_is_not_trained_on(early_store: Store, store: Store) -> None:
    """As earlier code left them: they can be started from, under another name."""
    config = small_training("golden", dataset="golden", steps=60, precision="fp64")
    with pytest.raises(
        InputError, match=r"has 40 steps and no checkpoint .*; give another name and init_from 'golden@"
    ):
        pretrain(config, early_store)
    pretrain(small_training(), store)
    path = "models/m0/checkpoints/step-00000030/state.safetensors"
    store.write(path, store.read(path)[:-1] + b"?")
    with pytest.raises(InputError, match=r"model 'm0' in .* has 30 steps and no checkpoint to train on from"):
        check_training(small_training(steps=50), store)
