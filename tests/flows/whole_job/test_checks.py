"""What is wrong with a whole job is said before any of it starts."""

from pathlib import Path
from typing import Any

import pytest

from flows.whole_job.checks import check_job
from flows.whole_job.config import WorldModelConfig
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.collect import collect
from pipelines.pretrain import pretrain
from pipelines.store import resolve_dataset
from pipelines.store.models.claim import claim_model
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.models.origin import Origin


def job(**parts: dict[str, Any]) -> WorldModelConfig:
    small = {"episodes": 40, "steps": 30, "image_size": 32, "episodes_per_shard": 8}
    local = {"executor": "local"}
    fields: dict[str, dict[str, Any]] = {
        "collect": {"name": "d", **small, **local, "actors": 1},
        "pretrain": {"name": "m", "recipe": "smoke", "steps": 3, **local},
        "evaluate": dict(local),
        "report": {},
    }
    return WorldModelConfig.model_validate({name: one | parts.get(name, {}) for name, one in fields.items()})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in which dataset `d` and model `m` are made."""
    store = open_store(str(tmp_path_factory.mktemp("done")))
    collect(job().collect, store)
    pretrain(job().pretrain, store)
    return store


def test_a_job_that_can_start_passes_and_writes_nothing(store: Store, done: Store) -> None:
    check_job(job(), store)
    assert store.list() == []
    check_job(job(), done)
    check_job(job(collect={"episodes": 60}, pretrain={"steps": 5}), done)  # both may grow
    check_job(job(collect={"frame_every": 5}), store)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"pretrain": {"workers": 2}}, r"pretrain\.workers 2 with pretrain\.executor 'local' cannot be"),
        (
            {"pretrain": {"batch_size": 1, "executor": "ray"}},
            r"pretrain\.batch_size 1 is less than pretrain\.workers 2",
        ),
        ({"pretrain": {"trackers": ["wandb"]}}, "trackers names 'wandb', whose package is not installed"),
        ({"collect": {"world": "nowhere"}}, "world 'nowhere' is not known"),
        (
            {"collect": {"frame_every": 3}},
            "frameskip is 5 and dataset 'd' has a frame of every 3 .*multiple of 3",
        ),
    ],
)
def test_parts_that_do_not_fit_are_named(
    store: Store, parts: dict[str, dict[str, Any]], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.pretrain.records.trackers import TRACKERS

    monkeypatch.setattr(TRACKERS.get("wandb"), "package", "no_such_package")
    with pytest.raises(InputError, match=sentence):
        check_job(job(**parts), store)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"collect": {"seed": 1}}, "dataset 'd' was collected with seed 0 and not 1"),
        ({"collect": {"episodes": 20}}, "dataset 'd' holds 40 episodes and episodes is 20, but a dataset only grows"),
        ({"pretrain": {"seed": 1}}, "model 'm' in .* was trained with seed 0 and not 1"),
        ({"pretrain": {"steps": 2}}, "model 'm' in .* trained under a schedule of 3 steps and steps is 2"),
    ],
)
def test_names_that_are_taken_are_named(done: Store, parts: dict[str, dict[str, Any]], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        check_job(job(**parts), done)


def test_a_model_that_somebody_trains_now_is_not_started(done: Store) -> None:
    origin = Origin(request={}, dataset_ref=resolve_dataset(done, "d"))
    with (
        claim_model(ModelHandle(done, "n"), origin),
        pytest.raises(InputError, match=r"model 'n' in .* is being trained"),
    ):
        check_job(job(pretrain={"name": "n"}), done)
    check_job(job(pretrain={"name": "n"}), done)
    held = ModelHandle(done, "n").layout.claim(1)
    assert done.exists(held) and b'"owner": null' in done.read(held)
