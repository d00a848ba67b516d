"""The device: a GPU where a worker has one, a share of it where several have."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation import EVALUATIONS
from pipelines.device import gpus_each, torch_device
from pipelines.evaluate import evaluate, evaluate_unit, plan_evaluation
from pipelines.evaluate import unit as unit_module
from pipelines.store.reports import read_table
from pipelines.store.reports.problems import write_problems
from tests.pipelines.evaluate.asked import config
from tests.pipelines.evaluate.fake_gpu import OnGpu, fake_gpu


def pretend(monkeypatch: pytest.MonkeyPatch, gpus: float) -> None:
    """Has torch and Ray see so many GPUs."""
    import ray

    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0, **({"GPU": gpus} if gpus else {})})


@pytest.mark.parametrize(
    ("wanted", "gpus", "device"), [("auto", 0, "cpu"), ("auto", 1, "cuda"), ("cpu", 1, "cpu"), ("cuda", 1, "cuda")]
)
def test_auto_takes_a_gpu_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, wanted: Any, gpus: int, device: str
) -> None:
    pretend(monkeypatch, gpus)
    assert torch_device(wanted).type == device


def test_a_gpu_that_is_not_there_is_said_before_any_work(monkeypatch: pytest.MonkeyPatch, judged: Store) -> None:
    pretend(monkeypatch, 0)
    with pytest.raises(InputError, match=r"device is 'cuda' and no GPU .* choose 'auto' or 'cpu'"):
        torch_device("cuda")
    with pytest.raises(InputError, match="device is 'cuda'"):
        plan_evaluation(config(device="cuda"), judged)


@pytest.mark.parametrize(
    ("wanted", "executor", "workers", "gpus", "share"),
    [
        ("auto", "ray", 2, 0, 0.0),
        ("auto", "ray", 2, 1, 0.5),
        ("auto", "ray", 2, 4, 1.0),
        ("auto", "ray", 3, 2, 0.5),  # two thirds would leave the third worker without one for ever
        ("cuda", "ray", 2, 0, 1.0),  # the cluster may grow by a node that has one
        ("cuda", "ray", 4, 1, 0.25),
        ("cpu", "ray", 2, 4, 0.0),
        ("auto", "local", 2, 4, 0.0),
    ],
)
def test_workers_share_the_gpus_so_that_all_can_run_at_once(
    monkeypatch: pytest.MonkeyPatch, wanted: Any, executor: Any, workers: int, gpus: int, share: float
) -> None:
    pretend(monkeypatch, gpus)
    assert gpus_each(wanted, executor, workers) == share


class AskedError(Exception):
    """Ends a run where its workers would be started."""


def test_the_share_is_asked_of_ray(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    asked: dict[str, Any] = {}

    def remote(**options: Any) -> None:
        asked.update(options)
        raise AskedError

    pretend(monkeypatch, 1)
    monkeypatch.setattr(ray, "remote", remote)
    with pytest.raises(AskedError):
        evaluate(config(executor="ray", workers=4, seed=1), mine)
    assert (asked["num_cpus"], asked["num_gpus"]) == (1, 0.25)


def test_the_fake_gpu_refuses_what_a_gpu_would() -> None:
    with fake_gpu() as gpu:
        layer, here = torch.nn.Linear(3, 2).to(gpu), torch.rand(4, 3)
        assert next(layer.parameters()).device == gpu and isinstance(here.to(gpu), OnGpu)
        assert torch.equal(layer(here.to(gpu)).cpu(), layer.cpu()(here))
        with pytest.raises(RuntimeError, match="tensors of two devices"):
            here + torch.rand(4, 3).to(gpu)
    assert torch.tensor(1.0).device.type == "cpu"


def _in_single(settings: Any) -> Any:
    """Returns settings whose planners rank in single precision: `auto` takes bfloat16 on processors that have it."""
    if not isinstance(settings, dict):
        return settings
    return {key: "fp32" if key == "precision" else _in_single(value) for key, value in settings.items()}


@pytest.mark.slow
def test_every_kind_finds_the_same_figures_on_another_device(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_evaluation(config(kinds=tuple(EVALUATIONS)), mine)
    for problems in plan.problems:
        write_problems(mine, problems)
    # A few steps of fitting say as much as many, which take long on a device that is made of Python.
    short = {"decoding": {"steps": 3, "train_frames": 50, "episodes": 1}}
    of_each_kind = {unit.kind: unit for unit in plan.units}.values()
    units = [replace(unit, settings=_in_single(unit.settings | short.get(unit.kind, {}))) for unit in of_each_kind]
    here = _figures(mine, [evaluate_unit(unit) for unit in units])
    devices: list[str] = []
    with fake_gpu() as gpu, monkeypatch.context() as patch:

        def torch_device(wanted: str) -> torch.device:
            devices.append(wanted)
            return gpu

        patch.setattr(unit_module, "torch_device", torch_device)
        unit_module._model.cache_clear()
        there = _figures(mine, [evaluate_unit(replace(unit, force=True)) for unit in units])
        unit_module._model.cache_clear()
    assert devices == ["auto"] * len(list(EVALUATIONS)) and {key[0] for key in here} == set(EVALUATIONS)
    assert there == {key: pytest.approx(value, rel=1e-4, abs=1e-5) for key, value in here.items()}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_every_kind_finds_the_same_figures_on_a_gpu(mine: Store) -> None:
    """Within what rounding does to probes that are fitted and plans that are searched for."""
    kinds = ("latent", "surprise", "probing")
    here = _figures(mine, evaluate(config(kinds=kinds, force=True, device="cpu"), mine).units)
    there = _figures(mine, evaluate(config(kinds=kinds, force=True, device="cuda"), mine).units)
    assert there == {key: pytest.approx(value, rel=0.02, abs=0.02) for key, value in here.items()}


def _figures(store: Store, units: Any) -> dict[tuple[Any, ...], float]:
    """Returns the figures that are no wall times by what tells them apart."""
    labels = ["evaluation", "split", "planner", "probe", "quantity", "goal", "shift", "metric"]
    metrics = read_table(store, "metrics", units=units).compute().astype(dict.fromkeys(labels, object))
    metrics = metrics[metrics.metric != "plan_seconds"]
    keys = metrics[labels].fillna("").itertuples(index=False, name=None)
    return dict(zip(keys, metrics.value, strict=True))
