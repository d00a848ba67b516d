"""Heads of a whole job: fitted before the evaluation where planners of its protocol ask for them, and only then."""

from pathlib import Path
from typing import Any

import pytest

from flows.whole_job.config import WorldModelConfig
from flows.whole_job.heads import heads_to_fit
from infra.storage import open_store
from pipelines.heads import fit_heads
from pipelines.pretrain import pretrain
from pipelines.reports import read_table
from pipelines.store.models.heads.handle import heads_of
from tests.flows.jobs import finished
from tests.pipelines.small_dataset import small_dataset

AMORTISED = """\
name: amortised-v1
planning:
  problems: 2
  offsets: 10
  replan_every: 5
  frames_shown: 0
  position_frames: 20
  position_probe: {hidden: 4, steps: 1}
  planners:
    inverse: {}
    oracle: {samples: 8, elites: 2, iterations: 1}
"""


@pytest.fixture
def protocol(tmp_path: Path) -> str:
    """The path of a protocol with a planner that asks for a head."""
    path = tmp_path / "amortised.yaml"
    path.write_text(AMORTISED)
    return str(path)


def job(**evaluate: Any) -> WorldModelConfig:
    pretrain = {"recipe": "smoke", "steps": 5, "executor": "local", "workers": 1, "seed": 3}
    evaluate = {"executor": "local", "kinds": ["planning"]} | evaluate
    values = {"collect": {"world": "two_room", "name": "d0"}, "pretrain": pretrain, "evaluate": evaluate}
    return WorldModelConfig.model_validate(values)


def test_the_kinds_are_those_that_planners_ask_for_and_the_model_lacks(tmp_path: Path, protocol: str) -> None:
    local_store = open_store(str(tmp_path / "store"))
    small_dataset(local_store, name="d0", steps=40)
    whole = job(protocol=protocol)
    pretrain(whole.pretrain, local_store)
    assert heads_to_fit(job(protocol="tiny-v1"), local_store) is None, "its planners need none"
    assert heads_to_fit(job(protocol=protocol, kinds=["latent"]), local_store) is None, "nothing is planned"
    asked = heads_to_fit(whole, local_store)
    assert asked is not None and (asked.model, asked.heads, asked.seed, asked.executor) == (
        "d0",
        ("inverse",),
        3,
        "local",
    )
    quick = {"inverse": {"width": 8, "depth": 1, "steps": 5, "batch_size": 16}}
    own = fit_heads(asked.model_copy(update={"options": quick}), local_store).heads[0]
    assert heads_to_fit(whole, local_store) is None, "one that was fitted by hand is the one to plan with"
    pretrain(job(protocol=protocol).pretrain.model_copy(update={"steps": 10}), local_store)
    assert heads_to_fit(whole, local_store) == asked, "of other weights of that name it is none"
    named = job(protocol=protocol, heads=[own.name])
    assert heads_to_fit(named, local_store) is None


def test_a_jointly_trained_head_does_where_goals_are_no_farther_than_a_clip(tmp_path: Path, protocol: str) -> None:
    local_store = open_store(str(tmp_path / "store"))
    small_dataset(local_store, name="d0", steps=40)
    far = tmp_path / "far.yaml"
    far.write_text(AMORTISED.replace("offsets: 10", "offsets: 20"))
    near, far_job = job(protocol=protocol), job(protocol=str(far))
    options = {"joint_head": "inverse", "joint_head_options": {"width": 8, "depth": 1, "batch_size": 16}}
    trained = near.pretrain.model_copy(update={"objective_options": options})
    pretrain(trained, local_store)
    assert [head.request.jointly is not None for head in heads_of(local_store, "d0")] == [True]
    assert heads_to_fit(near, local_store) is None, "clips are 15 steps long and goals 10 ahead"
    asked = heads_to_fit(far_job, local_store)
    assert asked is not None and asked.heads == ("inverse",), "it knows nothing of goals 20 ahead"


@pytest.mark.slow
@pytest.mark.prefect
@pytest.mark.timeout(600)
def test_one_command_judges_a_planner_with_a_head(tmp_path: Path, protocol: str) -> None:
    command = ["run", "--world", "two_room", "--preset", "smoke", "--store", "store", "--evaluate.protocol", protocol]
    command += [word for part in ("collect", "pretrain", "evaluate") for word in (f"--{part}.executor", "local")]
    done = finished([*command, "--evaluate.kinds", "planning"], tmp_path)
    assert done.returncode == 0, done.stderr
    store = open_store(str(tmp_path / "store"))
    assert [head.request.kind for head in heads_of(store, "two_room-smoke-s0")] == ["inverse"]
    planners = set(read_table(store, "metrics").compute().planner.dropna())
    assert planners == {"inverse", "oracle", "random"}
