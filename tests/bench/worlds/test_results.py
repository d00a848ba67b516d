"""What is read from a store: two trainings of one recipe, judged, with one that is not finished and checkpoints."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from infra.storage import Store, open_store
from infra.work_log import UnitRecord
from jepa.core.errors import InputError
from pipelines.collect import CollectConfig, collect
from pipelines.evaluate import EvaluateConfig, evaluate
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.reports import read_table
from pipelines.store.logs import UnitStatus
from tests.bench.worlds.blocks.cost import done_units
from tests.bench.worlds.reading.commands import command
from tests.bench.worlds.reading.coverage import COUNTS
from tests.bench.worlds.reading.judged import metrics, unlike
from tests.bench.worlds.reading.seeds import over_seeds
from tests.bench.worlds.reading.trained import manifests
from tests.bench.worlds.results import main, world_figures, written

PROTOCOL = """
name: pages-v1
planning:
  problems: 6
  offsets: [10]
  budget: 20
  planners: {cem: {samples: 16, elites: 4, iterations: 1}, oracle: {samples: 16, elites: 4, iterations: 1}}
  frames_shown: 0
  position_frames: 50
  position_probe: {hidden: 8, steps: 1}
probing:
  train_frames: 100
  validation_frames: 50
  test_frames: 50
  predictions: 10
  probe: {hidden: 8, steps: 5}
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    """A store with models `a` and `b`, seeds 3 and 4, and the protocol that judged them; `b` alone has checkpoints."""
    folder = tmp_path_factory.mktemp("worlds")
    store, protocol = open_store(str(folder / "store")), folder / "pages-v1.yaml"
    protocol.write_text(PROTOCOL)
    sizes: dict[str, Any] = {"episodes": 20, "steps": 20, "image_size": 32, "test_share": 0.2, "unseen_share": 0.0}
    collect(CollectConfig(name="d0", **sizes, episodes_per_shard=10, executor="local", actors=1), store)
    for name, seed in (("a", 3), ("b", 4)):
        more: dict[str, Any] = {"keep_every": 4} if name == "b" else {}
        pretrain(
            PretrainConfig(dataset="d0", name=name, recipe="smoke", steps=8, seed=seed, executor="local", **more), store
        )
        asked: dict[str, Any] = {"checkpoints": ("all",)} if name == "b" else {}
        evaluate(
            EvaluateConfig(
                model=name, protocol=str(protocol), kinds=("planning", "probing"), executor="local", **asked
            ),
            store,
        )
    return store, protocol


@pytest.fixture(scope="module")
def figures(judged: tuple[Store, Path]) -> dict[str, Any]:
    return world_figures(judged[0], "two_room", ["a", "b", "c"], ["a", "b"])


def test_every_figure_is_the_store_s_by_training_seed(judged: tuple[Store, Path], figures: dict[str, Any]) -> None:
    rows = read_table(judged[0], "metrics").compute()
    rows = rows[(rows.metric == "success_rate") & (rows.split == "test")]
    found = {(row["goal"], row["planner"]): row["success_rate"]["seeds"] for row in figures["planning"]}
    assert {planner for _, planner in found} == {"cem", "oracle", "random"}
    for row in rows.to_dict("records"):
        kept = found[row["goal"], row["planner"]][{"a": "3", "b": "4"}[row["model"]]]
        assert kept == [pytest.approx(row[name], rel=1e-4) for name in ("value", "ci_low", "ci_high", "n")]
    assert {row["quantity"] for row in figures["probing"]} >= {"agent_position", "door"}


def test_what_is_not_there_is_said_and_nothing_is_put_in_its_place(figures: dict[str, Any]) -> None:
    assert "model c is not finished" in figures["missing"]
    assert "surprise was not judged" in figures["missing"] and figures["surprise"] == []
    assert [row["seed"] for row in figures["trainings"]] == [3, 4]
    assert figures["recipe"]["name"] == "smoke" and "seed" not in figures["recipe"]["train"]


def test_checkpoints_are_points_at_their_share_of_the_training_s_time(figures: dict[str, Any]) -> None:
    lines = [line for line in figures["success_by_time"] if line["planner"] == "cem" and line["goal"] == "uniform"]
    ((_, points),) = [(line["training"], line["points"]) for line in lines if line["training"] == "b"]
    assert [point[0] for point in points] == [4, 8]
    assert points[0][1] == pytest.approx(points[1][1] / 2, rel=1e-3)
    assert len(lines) == 1, "one point alone, of model a, is no line"


def test_whole_trainings_of_one_seed_are_a_line_of_their_own(judged: tuple[Store, Path]) -> None:
    store, protocol = judged
    pretrain(PretrainConfig(dataset="d0", name="short", recipe="smoke", steps=4, seed=3, executor="local"), store)
    evaluate(EvaluateConfig(model="short", protocol=str(protocol), kinds=("planning",), executor="local"), store)
    lines = world_figures(store, "two_room", ["a"], ["a", "short"])["success_by_time"]
    assert {line["training"] for line in lines} == {"whole trainings, seed 3"}
    assert {tuple(point[0] for point in line["points"]) for line in lines} == {(4, 8)}


def test_a_model_s_figures_are_those_of_its_last_weights(judged: tuple[Store, Path]) -> None:
    store, _ = judged
    models, _ = manifests(store, ["a", "b"])
    rows = metrics(store, models, (), steps=False)
    assert set(rows.model_digest) == {one.digest for one in models.values()} and rows.training_step.isna().all()
    assert set(metrics(store, models, (), steps=True).training_step) == {4}


def test_the_data_are_counted_by_policy(figures: dict[str, Any]) -> None:
    rows = figures["data"]["coverage"]["by_policy"]
    assert [row["policy"] for row in rows] == ["random", "two_room/expert", "all"]
    assert rows[-1]["episodes"] == 20 and rows[-1]["steps"] == 400
    state = {"agent_position": np.array([[0.4, 0.5], [0.6, 0.5], [0.4, 0.5], [0.3, 0.5]], dtype=np.float32)}
    right, left = (count.happens(state).tolist() for count in COUNTS["two_room"])
    assert (right, left) == ([True, False, False], [False, True, False])


def test_jobs_say_what_they_took(figures: dict[str, Any]) -> None:
    rows = {(row["job"], row["of"]): row for row in figures["cost"]}
    assert set(rows) == {("collect", "d0"), *((kind, name) for kind in ("pretrain", "evaluate") for name in "ab")}
    assert all(row["work_seconds"] > 0 and row["peak_memory_mb"] > 50 for row in rows.values())
    assert all(0 < row["work_seconds"] <= row["wall_seconds"] + 1 for row in rows.values())


def test_of_a_job_that_was_begun_again_each_unit_counts_once_as_it_was_done_last() -> None:
    def unit(name: str, hour: int, seconds: float, status: Literal["done", "failed"] = "done") -> UnitStatus:
        started = datetime(2026, 11, 27, hour, tzinfo=UTC)
        record = UnitRecord(name=name, run=f"r{hour}", status=status, host="h", pid=1, started=started, seconds=seconds)
        return UnitStatus(status, record, hour < 12, "")

    before = [unit("planning-test=uniform-0123456789abcdef.0-50", 9, 100), unit("probing-0123456789abcdef", 10, 8)]
    since = [unit("probing-fedcba9876543210", 13, 12), unit("surprise-0123456789abcdef", 14, 5, "failed")]
    assert [one.record.seconds for one in done_units([*since, *before])] == [100, 12]


def test_the_file_reads_back_and_names_no_folder_of_the_machine(
    judged: tuple[Store, Path], figures: dict[str, Any], tmp_path: Path
) -> None:
    main(["--store", judged[0].uri, "--world", "two_room", "--runs", "a", "b", "--into", str(tmp_path)])
    text = (tmp_path / "two_room.json").read_text()
    assert json.loads(text)["planning"] == json.loads(written(figures))["planning"] == figures["planning"]
    assert str(judged[1].parent) not in text and "pages-v1.yaml" in text
    assert "jepa pretrain --dataset d0 --name b --recipe smoke --steps 8 --seed 4 --keep-every 4" in text


def test_models_that_differ_in_more_than_their_seed_are_refused(judged: tuple[Store, Path]) -> None:
    store, _ = judged
    other = PretrainConfig(dataset="d0", name="e", recipe="smoke", steps=2, seed=5, executor="local")
    pretrain(other, store)
    with pytest.raises(InputError, match="'a' and 'e' have different recipes; give one of them by --also"):
        world_figures(store, "two_room", ["a", "e"])
    with pytest.raises(InputError, match="of world 'two_room' and not 'pusht'"):
        world_figures(store, "pusht", ["a"])
    figures = world_figures(store, "two_room", ["a"], also=["e"])
    assert ("pretrain", "e") in {(row["job"], row["of"]) for row in figures["cost"]}
    beside = figures["others"]["e"]
    assert beside["dataset"] == "d0@1"
    assert beside["training"]["steps"] == 2 and beside["planning"] == []


def test_another_setting_of_the_protocol_is_named(judged: tuple[Store, Path]) -> None:
    models, _ = manifests(judged[0], ["a", "b"])
    rows, seeds = metrics(judged[0], models, (), steps=False), {"a": 3, "b": 4}
    assert unlike(rows, seeds) == []
    other = rows.protocol_digest.where((rows.model != "b") | (rows.evaluation != "planning"), "0" * 64)
    sentence = "planning of training seed 4 had other settings of protocol pages-v1 than that of seed 3"
    assert unlike(rows.assign(protocol_digest=other), seeds) == [sentence]


def test_an_interval_over_seeds_is_left_out_where_it_says_nothing() -> None:
    def rows(*values: float) -> pd.DataFrame:
        return pd.DataFrame(
            [{"model": f"m{i}", "value": v, "ci_low": None, "ci_high": None, "n": 9} for i, v in enumerate(values)]
        )

    seeds = {"m0": 0, "m1": 1, "m2": 2}
    alike = over_seeds(rows(1.0, 1.0), seeds, (0, 1))
    assert (alike["mean"], alike["low"], alike["high"]) == (1.0, None, None) and alike["seeds"]["2"] is None
    found = over_seeds(rows(0.8, 0.9, 1.0), seeds, (0, 1))
    assert (found["mean"], found["high"]) == (0.9, 1.0)
    assert found["low"] == pytest.approx(0.9 - 4.3027 * 0.1 / 3**0.5, abs=1e-4)


def test_a_command_has_the_flags_that_differ_from_their_defaults() -> None:
    config = PretrainConfig(dataset="d0", name="m0", objective_options={"sigreg_weight": 0.5}, workers=4)
    text = command("pretrain", config.model_dump(mode="json"))
    assert text.startswith("jepa pretrain --dataset d0 --name m0 --objective-options ") and "workers" not in text
    assert "sigreg_weight=0.5" in text
