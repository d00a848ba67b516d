"""Jobs of a GPU's size start on any machine, are interrupted, and go on from their checkpoint."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.storage import open_store
from pipelines.collect import collect
from pipelines.pretrain import pretrain
from pipelines.pretrain.cluster.preemption import Preempted
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.manifest import ModelHandle
from tests.flows.jobs import finished, interrupted
from tests.flows.whole_job.test_recipe_parts import asked

pytestmark = pytest.mark.slow

COLLECT: dict[str, Any] = {"episodes": 20, "episodes_per_shard": 20, "steps": 30, "executor": "local"}
PRETRAIN: dict[str, Any] = {"batch_size": 2, "steps": 12, "preemption_every": 1, "executor": "local", "trackers": []}


@pytest.mark.parametrize("size", [{"preset": "large"}, {"recipe": "lewm"}], ids=["large", "lewm"])
def test_it_is_interrupted_after_a_step_and_goes_on(size: dict[str, Any], tmp_path: Path) -> None:
    config = asked(**size, name="m0", collect=COLLECT, pretrain=PRETRAIN)
    store = open_store(str(tmp_path / "store"))
    manifest = collect(config.collect, store)
    assert manifest.total("frames") == 20 * 7
    with pytest.raises(Preempted):
        pretrain(config.pretrain, store, sources=[lambda: True])
    assert 0 < (Checkpoints(ModelHandle(store, "m0")).latest_step() or 0) < 12
    made = pretrain(config.pretrain, store)
    assert made.recipe.train.steps == 12 and 17_000_000 < made.parameters < 19_000_000
    assert made.recipe.model.image_size == config.collect.image_size


@pytest.mark.timeout(1200)
def test_the_command_says_what_it_takes_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    fields = {"collect": COLLECT, "pretrain": PRETRAIN | {"steps": 24, "trackers": "tensorboard"}}
    cut = [f"--{part}.{name.replace('_', '-')}={value}" for part, of in fields.items() for name, value in of.items()]
    quick = ["--evaluate.executor=local", "--evaluate.kinds=latent", "--pretrain.train-options", "log_every=1"]
    job = ["run", "--recipe", "lewm", "--name", "m0", "--store", "store", *cut, *quick]
    status, said, left = interrupted(job, tmp_path, ", loss ", patience=120)
    assert (status, left) == (130, []), said
    assert "20 episodes to collect, 600 steps to simulate and 140 frames of 224 × 224 pixels to draw" in said
    assert re.search(r"18,\d{3},\d{3} parameters; 24 steps of 2 clips of 4 frames, 48 clips", said)
    kept = Checkpoints(ModelHandle(open_store(str(tmp_path / "store")), "m0")).latest_step() or 0
    assert 0 < kept < 24
    done = finished([*job, "--json"], tmp_path, 700)
    assert done.returncode == 0, done.stderr
    takes = json.loads(done.stdout)["takes"]
    assert takes["collecting"] is None and takes["training"]["first_step"] == kept
    assert f"24 steps of which {kept} are done" in done.stderr and "episodes to collect" not in done.stderr
