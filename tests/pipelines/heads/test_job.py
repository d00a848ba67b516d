"""The job: fits what is missing, on the train split alone, and leaves the model's bytes as they are."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.evaluate import EvaluateConfig, evaluate, plan_evaluation
from pipelines.heads import FitHeadsConfig, fit_heads
from pipelines.heads import job as job_module
from pipelines.heads import unit as unit_module
from pipelines.heads.unit import HeadUnit, do_head
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store import Dataset
from pipelines.store.models.heads.handle import HeadGoneError, heads_of, read_head, resolve_head
from pipelines.store.models.heads.manifest import HeadManifest
from pipelines.store.models.manifest import resolve_model
from pipelines.store.references import ModelRef
from pipelines.store.removal import plan_removal
from pipelines.store.reports import read_table
from pipelines.store.sealed import sha256
from tests.scraped import exported, wait_for_metrics

SMALL = {"inverse": {"width": 8, "depth": 1, "steps": 5, "batch_size": 16}}


def config(**changes: Any) -> FitHeadsConfig:
    return FitHeadsConfig.model_validate({"model": "m0", "options": SMALL, "executor": "local"} | changes)


@pytest.fixture(scope="module")
def trained(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with dataset `d0` and model `m0`; tests copy it."""
    folder = tmp_path_factory.mktemp("heads") / "store"
    shutil.copytree(small_store, folder)
    training = PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=2, executor="local", trackers=())
    pretrain(training, open_store(str(folder)))
    return folder


@pytest.fixture
def mine(trained: Path, tmp_path: Path) -> Store:
    shutil.copytree(trained, tmp_path / "store")
    unit_module._model.cache_clear()
    unit_module._latents.cache_clear()
    return open_store(str(tmp_path / "store"))


def test_a_head_is_fitted_once_on_the_train_split_and_the_model_s_files_stay(
    mine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: sha256(mine.read(path)) for path in mine.list("models/m0/")}
    read = []
    real = Dataset.episodes

    def watched(self: Dataset, split: str, limit: int | None = None) -> Any:
        read.append(split)
        return real(self, split, limit)

    monkeypatch.setattr(Dataset, "episodes", watched)
    first = fit_heads(config(), mine)
    assert read == ["train"] and first.earlier == ()
    again = fit_heads(config(), mine)
    assert again.heads == first.heads and again.earlier == (first.heads[0].name,) and read == ["train"]
    after = {path: sha256(mine.read(path)) for path in mine.list("models/m0/")}
    assert {path: after[path] for path in before} == before
    (manifest,) = first.heads
    assert manifest.request.model == resolve_model(mine, "m0") and str(manifest.request.dataset) == "d0@1"
    assert manifest.episodes == Dataset(mine, "d0").count("train") and not manifest.privileged
    # Two heads of another seed and of other options lie beside it; encoding is done once.
    fit_heads(config(seed=1), mine)
    fit_heads(config(options={"inverse": SMALL["inverse"] | {"width": 9}}), mine)
    assert read == ["train"] and len(list(heads_of(mine, "m0"))) == 3


def test_the_same_head_comes_out_again(mine: Store) -> None:
    first = fit_heads(config(), mine).heads[0]
    again = fit_heads(config(force=True), mine)
    assert again.earlier == () and again.heads[0].weights_sha256 == first.weights_sha256
    head = read_head(mine, first.request.model, first.reference)
    answer = head(torch.zeros(1, head.sizes.latent_size), torch.ones(1, head.sizes.latent_size), 5)
    assert answer.shape == (1, head.sizes.frameskip, head.sizes.action_size) and not head.training


def test_an_evaluation_plans_with_the_model_s_head_and_its_units_are_named_by_it(mine: Store, tmp_path: Path) -> None:
    protocol = tmp_path / "amortised.yaml"
    protocol.write_text(
        "name: amortised-v1\nplanning:\n  problems: 2\n  ahead: 10\n  frames_shown: 0\n  position_frames: 20\n"
        "  position_probe: {hidden: 4, steps: 1}\n  planners:\n    inverse: {}\n"
        "    oracle: {samples: 8, elites: 2, iterations: 1}\n"
    )
    asked = {"model": "m0", "kinds": ("planning",), "protocol": str(protocol), "executor": "local"}
    judged = EvaluateConfig.model_validate(asked)
    with pytest.raises(InputError, match=r"model m0@\w+ has no head of kind 'inverse'; fit one by `jepa"):
        plan_evaluation(judged, mine)
    fit_heads(config(), mine)
    keys = {unit.key for unit in plan_evaluation(judged, mine).units}
    evaluate(judged, mine)
    metrics = read_table(mine, "metrics").compute()
    assert {"inverse", "oracle", "random"} == set(metrics[metrics.evaluation == "planning"].planner)
    (used,) = heads_of(mine, "m0")
    with pytest.raises(InputError, match=rf"head '{used.name}' is not removed: run 'm0' holds figures of it; remove"):
        plan_removal(mine, "head", used.name)
    newer = fit_heads(config(seed=1), mine).heads[0]
    assert plan_removal(mine, "head", newer.name).paths, "nothing was planned with that one"
    units = plan_evaluation(judged, mine).units
    assert keys.isdisjoint({unit.key for unit in units}) and units[0].heads == (newer.reference,)
    older = next(held.name for held in heads_of(mine, "m0") if held.name != newer.name)
    named = EvaluateConfig.model_validate(asked | {"heads": (older,)})
    assert {unit.key for unit in plan_evaluation(named, mine).units} == keys


def test_the_bound_on_regret_stands_beside_that_of_a_planner_with_a_head(mine: Store, tmp_path: Path) -> None:
    protocol = tmp_path / "amortised.yaml"
    protocol.write_text(
        "name: amortised-v1\nspectrum:\n  train_episodes: 10\n  episodes: 4\n  blocks: 2\n  planning:\n"
        "    problems: 2\n    ahead: 10\n    position_frames: 20\n    position_probe: {hidden: 4, steps: 1}\n"
        "    planners:\n      inverse: {}\n      oracle: {samples: 8, elites: 2, iterations: 1}\n"
    )
    fit_heads(config(), mine)
    asked = {"model": "m0", "kinds": ("spectrum",), "protocol": str(protocol), "executor": "local"}
    evaluate(EvaluateConfig.model_validate(asked), mine)
    metrics = read_table(mine, "metrics").compute()
    assert set(metrics[metrics.metric == "measured_regret"].planner) == {"inverse"}


def test_a_head_of_other_weights_and_one_that_is_gone_are_sentences(mine: Store) -> None:
    manifest = fit_heads(config(), mine).heads[0]
    model = manifest.request.model
    other = ModelRef(name="m0", digest="b" * 64)
    with pytest.raises(InputError, match=rf"head of kind 'inverse' was fitted on {model} and not on model m0@bbbbbbbb"):
        resolve_head(mine, other, "inverse")
    gone = manifest.reference.model_copy(update={"digest": "c" * 64})
    with pytest.raises(HeadGoneError, match="is gone from store"):
        read_head(mine, model, gone)
    path = next(path for path in mine.list(f"models/m0/heads/{manifest.name}/weights/"))
    mine.write(path, b"changed")
    with pytest.raises(InfraError, match="is damaged; `jepa fit-heads"):
        read_head(mine, model, manifest.reference)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
def test_a_worker_of_a_cluster_fits_the_same_head_and_metrics_are_exported(
    mine: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "failed"

    def fail_once(unit: HeadUnit) -> HeadManifest:
        if not mark.exists():
            mark.touch()
            raise OSError("once")
        return do_head(unit)

    # Here it runs in this process, which is connected to Ray: the driver's metrics are those of any executor.
    with monkeypatch.context() as patch:
        patch.setattr(job_module, "do_head", fail_once)
        here = fit_heads(config(), mine).heads[0]
    there = fit_heads(config(executor="ray", force=True), mine).heads[0]
    assert there.reference == here.reference
    found = wait_for_metrics("m0", exported("jepa_heads_"))
    assert found["ray_jepa_heads_retries_total"] >= 1 and found["ray_jepa_heads_fitted_total"] >= 2
