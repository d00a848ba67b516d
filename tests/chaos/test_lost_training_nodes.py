"""A training loses two of its three nodes, one after a signal: it goes on with fewer workers and learns the same."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from infra.storage import Store, open_store
from jepa.models.world_model import WorldModel
from pipelines.pretrain import pretrain, read_model
from pipelines.store.models.curve import read_curve
from pipelines.store.models.manifest import ModelHandle
from tests.chaos.lose_training_nodes import STEPS, training
from tests.pipelines.small_dataset import small_dataset
from tests.pipelines.small_model import stored_weights

pytestmark = [pytest.mark.long, pytest.mark.ray]

ROOT = Path(__file__).resolve().parents[2]


def test_fewer_workers_learn_the_same(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    small_dataset(store, name="d0", steps=40)
    command = [sys.executable, "-m", "tests.chaos.lose_training_nodes", store.uri]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert answer.returncode == 0, answer.stderr[-3000:]
    stopped = int(answer.stdout.split("stopped at step ")[1].split()[0])
    assert "a node died" in answer.stdout
    lost = figures(store, "lost")
    workers = {step: value for (step, name), value in lost.items() if name == "workers"}
    assert set(workers.values()) == {3.0, 2.0, 1.0} and list(workers.values()) == sorted(workers.values())[::-1]
    assert [step for step, count in workers.items() if count == 3][-1] <= stopped  # and the step after it is the next
    pretrain(training("whole", executor="local", workers=1), store)
    whole = figures(store, "whole")
    assert lost.keys() == whole.keys()
    # In fp64: training magnifies the rounding of another order of adding a million times on its way.
    for name in ("prediction", "sigreg"):
        ours, theirs = ([one[step, name] for step in (1, *range(5, STEPS + 1, 5))] for one in (lost, whole))
        torch.testing.assert_close(torch.tensor(ours), torch.tensor(theirs), atol=1e-6, rtol=1e-4)
    assert distance(store) < 1e-3


def figures(store: Store, name: str) -> dict[tuple[int, str], float]:
    """Returns the curve by step and figure."""
    rows = read_curve(ModelHandle(store, name), last_step=STEPS).rows
    return {(int(row["step"]), str(row["metric"])): float(row["value"]) for row in rows}


def distance(store: Store) -> float:
    """Returns how far the two models' weights lie apart, as a share of the way that training has gone."""
    lost, whole = (load(stored_weights(store, name)) for name in ("lost", "whole"))
    manifest, _ = read_model(store, "whole")
    start = WorldModel.from_config(manifest.recipe.model, seed=manifest.recipe.train.seed).state_dict()
    weights = [name for name, tensor in whole.items() if tensor.is_floating_point()]
    apart = sum(float((lost[name] - whole[name]).square().sum()) for name in weights)
    gone = sum(float((start[name] - whole[name]).square().sum()) for name in weights)
    return math.sqrt(apart / gone)
