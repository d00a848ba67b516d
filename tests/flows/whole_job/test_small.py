"""The preset `small` on each world that has its own: cut to seconds through every part, and whole."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.whole_job.presets import PRESETS
from infra.storage import open_store
from jepa.core.episodes import frame_every_of
from jepa.evaluation import get_protocol
from pipelines.reports import read_table
from pipelines.store import Dataset
from pipelines.store.models.heads.handle import heads_of
from tests.flows.jobs import finished

WORLDS = ("pusht", "reacher", "cube")
LOCAL = [word for part in ("collect", "pretrain", "evaluate") for word in (f"--{part}.executor", "local")]
CUT = [
    *("--collect.episodes", "16", "--collect.steps", "40", "--collect.episodes-per-shard", "8"),
    *("--collect.test-share", "0.25", "--collect.validation-share", "0.25", "--collect.unseen-share", "0"),
    *("--pretrain.steps", "3", "--pretrain.batch-size", "16"),
]
TINY: dict[str, dict[str, Any]] = {
    "probing": {
        **{"train_frames": 60, "validation_frames": 20, "test_frames": 20, "predictions": 5, "baseline_frames": 0},
        "probe": {"hidden": 8, "steps": 20},
    },
    "planning": {
        **{"problems": 2, "offsets": 10, "budget": 10, "frames_shown": 1, "remove_solved": False},
        **{"position_frames": 20, "position_probe": {"hidden": 4, "steps": 1}},
    },
    "surprise": {"episodes": 2, "batch": 2, "frames_shown": 1, "validation_episodes": 2},
}
"""What is cut of a world's own protocol; its planners stay as they are, but for the oracle's size."""


def cut_protocol(world: str, path: Path) -> Path:
    """Writes a world's protocol with few problems and episodes, and returns where."""
    protocol = PRESETS.get("small").of(world)["evaluate"]["protocol"]
    planning = get_protocol(protocol).settings("planning").model_dump(mode="json")
    planners = {label: dict(options) for label, options in planning["planners"].items()}
    planners["oracle"] |= {"samples": 4, "elites": 2, "iterations": 1}
    planners["cem"] |= {"samples": 16, "elites": 4, "iterations": 2}
    own = {"planners": planners, "success_kind": planning["success_kind"]}
    cut = {"name": "cut-v1"} | TINY | {"planning": TINY["planning"] | own}
    path.write_text(yaml.safe_dump(cut))
    return path


@pytest.mark.slow
@pytest.mark.prefect
@pytest.mark.timeout(600)
@pytest.mark.parametrize("world", WORLDS)
def test_small_cut_to_seconds_passes_through_every_part(world: str, tmp_path: Path) -> None:
    protocol = cut_protocol(world, tmp_path / "cut.yaml")
    job = ["run", "--world", world, "--preset", "small", "--store", "store", "--evaluate.protocol", str(protocol)]
    done = finished([*job, *LOCAL, *CUT], tmp_path)
    assert done.returncode == 0, done.stderr
    store, run = open_store(str(tmp_path / "store")), f"{world}-small-s0"
    assert frame_every_of(Dataset(store, run)) == 5, "four of five frames are never drawn"
    metrics = read_table(store, "metrics").compute()
    assert {"probing", "planning", "surprise"} <= set(metrics.evaluation) and set(metrics.run) == {run}
    assert {"warm", "inverse", "cem", "demonstration", "oracle", "random"} <= set(metrics.planner.dropna())
    assert store.exists(f"reports/{run}/report.html")
    heads = [head.request.jointly is not None for head in heads_of(store, run)]
    assert heads == [True], "clips are longer than these goals are far, so that the jointly trained head does"


@pytest.mark.long
@pytest.mark.prefect
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("world", WORLDS)
def test_small_learns_its_world(world: str, tmp_path: Path) -> None:
    done = finished(["run", "--world", world, "--preset", "small", "--store", "store"], tmp_path, seconds=3 * 3600)
    assert done.returncode == 0, done.stderr
    metrics = read_table(open_store(str(tmp_path / "store")), "metrics").compute()
    reached = metrics[(metrics.metric == "success_rate") & (metrics.split == "test") & (metrics.goal == "uniform")]
    by_planner = reached.set_index("planner").value
    assert by_planner["warm"] > 2 * by_planner["random"] and by_planner["warm"] > by_planner["cem"], (
        by_planner.to_dict()
    )
