"""`jepa evaluate --shift`: collects once, judges under each value, compares, and keeps it apart from the usual."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows import shifts
from flows.cli.main import main
from flows.shifts import judge, prepare
from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.core.episodes import world_options_of
from jepa.core.errors import InputError
from jepa.evaluation import EVALUATIONS
from pipelines.collect.job import make_dataset
from pipelines.evaluate import EvaluateConfig, evaluate, job, plan_evaluation
from pipelines.evaluate.shift import shifted_datasets
from pipelines.evaluate.shifted_source import ShiftedSource
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.reports import metrics_table
from pipelines.reports.shifts import shift_matrix
from pipelines.store import Dataset
from pipelines.store.removal import plan_removal
from pipelines.store.reports import read_table
from pipelines.store.verify import verify_store
from tests.pipelines.small_dataset import small_dataset

DOOR, RADIUS = "d0--door-0.1", "d0--agent_radius-0.08"
KINDS = ("latent", "probing")


def config(**changes: object) -> EvaluateConfig:
    values: dict[str, object] = {"model": "m0", "protocol": "tiny-v1", "executor": "local", "kinds": KINDS}
    values |= {"shift": {"door": "0.1", "agent_radius": 0.08}, "shift_episodes": 8}
    return EvaluateConfig.model_validate(values | changes)


def judged(store: Store, **changes: object) -> shifts.Judged:
    return judge(prepare(config(**changes), store), store, Progress())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a dataset, a small model and its usual figures."""
    made = tmp_path_factory.mktemp("shifts") / "store"
    store = open_store(str(made))
    small_dataset(store, name="d0", steps=40)
    pretrain(PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=20, executor="local", workers=1), store)
    evaluate(config(shift={}, shift_episodes=None), store)
    return made


@pytest.fixture(scope="module")
def shifted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same judged under two shifts, only to be read."""
    made = tmp_path_factory.mktemp("shifted") / "store"
    shutil.copytree(folder, made)
    store = open_store(str(made))
    judged(store)
    return store


@pytest.fixture
def mine(folder: Path, tmp_path: Path) -> Store:
    """The store without shifts, to be written into."""
    shutil.copytree(folder, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def test_the_shifted_datasets_are_datasets_like_any_other(shifted: Store) -> None:
    door, radius, usual = (Dataset(shifted, name) for name in (DOOR, RADIUS, "d0"))
    for dataset in (door, radius):
        assert dataset.count("test") == 8 and dataset.count("train") == 0
        assert not {row["seed"] for row in dataset.episode_rows.to_pylist()} & {
            row["seed"] for row in usual.episode_rows.to_pylist()
        }
    assert {episode.variation["door"] for episode in door.episodes("test")} == {0.1}
    assert len({episode.variation["door"] for episode in radius.episodes("test")}) == 8
    assert radius.world_options["agent_radius"] == 0.08 and door.world_options == usual.world_options
    assert "d0 with door 0.1" in (shifted.read(f"datasets/{DOOR}/card.md").decode())
    report = verify_store(shifted)
    assert {one.dataset for one in report.datasets} >= {DOOR, RADIUS} and report.ok


def test_each_split_keeps_the_options_that_it_was_recorded_under(shifted: Store) -> None:
    radius, usual = Dataset(shifted, RADIUS), Dataset(shifted, "d0")
    source = ShiftedSource(usual, radius)
    for split in ("train", "validation"):
        assert world_options_of(source, split) == usual.world_options == world_options_of(usual, split)
    for split in ("test", "unseen"):
        assert world_options_of(source, split) == source.world_options == radius.world_options != usual.world_options


def test_a_second_command_collects_and_judges_nothing(shifted: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing is to be done")

    monkeypatch.setattr(shifts, "make_dataset", refuse)
    monkeypatch.setattr(job, "run_units", refuse)
    found = judged(shifted)
    assert found.evaluated.earlier == found.evaluated.units and len(found.shifts) == len(shift_matrix(shifted, "m0"))


def test_every_headline_figure_stands_beside_the_usual_one(shifted: Store, folder: Path) -> None:
    rows = shift_matrix(shifted, "m0")
    cells = set(zip(rows.factor, rows.factor_value, rows.label, strict=True))
    usual = {one.label: one for one in metrics_table(str(folder), "m0") if one.split == "test"}
    assert cells == {(*factor, label) for factor in (("door", 0.1), ("agent_radius", 0.08)) for label in usual}
    for row in rows.to_dict("records"):
        assert row["usual_value"] == usual[row["label"]].value and row["usual_dataset"] == "d0@1"
        assert row["difference"] == pytest.approx(row["value"] - row["usual_value"])
    known = rows[rows.p.notna()]
    assert len(known) and (known.p_holm >= known.p).all() and set(rows.cells) == {len(known)}
    assert known.p_holm.min() == pytest.approx(min(1.0, known.p.min() * len(known)))


def test_figures_under_a_shift_are_no_figures_of_the_model(shifted: Store, folder: Path) -> None:
    assert metrics_table(shifted, "m0") == metrics_table(str(folder), "m0")
    usual, every = (read_table(shifted, "metrics", shifts=held).compute() for held in (False, True))
    assert usual.factor.isna().all() and set(usual.dataset) == {"d0"}
    assert set(every.factor.dropna()) == {"door", "agent_radius"} and set(every.dataset) == {"d0", DOOR, RADIUS}
    assert set(every[every.factor == "door"].factor_value) == {0.1}


def test_the_usual_units_stay_what_they_were(shifted: Store, mine: Store) -> None:
    plan = plan_evaluation(config(), shifted)
    keys = [unit.key for unit in plan.units if unit.shift is None]
    assert keys == [unit.key for unit in plan_evaluation(config(shift={}, shift_episodes=None), mine).units]
    assert len({unit.key for unit in plan.units}) == len(plan.units) == 3 * len(keys) - 2, "shifts have no unseen split"


def test_probes_are_fitted_on_what_the_model_knows(shifted: Store) -> None:
    """A probe that was fitted under the shift would know what the agent's radius does to the latents."""
    source = shifted_datasets(config(), shifted, Dataset(shifted, "d0"))[1].source(shifted, Dataset(shifted, "d0"))
    usual = Dataset(shifted, "d0")
    assert source.count("train") == usual.count("train") and source.count("test") == 8
    assert source.count("unseen") == 0 and "agent_radius" not in source.quantities
    (first,), (same,) = list(source.episodes("train", 1)), list(usual.episodes("train", 1))
    assert first.seed == same.seed


def test_a_killed_command_goes_on_where_it_was(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def once(*arguments: Any) -> object:
        calls.append(arguments[0].name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return make_dataset(*arguments)

    monkeypatch.setattr(shifts, "make_dataset", once)
    with pytest.raises(KeyboardInterrupt):
        judged(mine, kinds=("latent",))
    assert Dataset.exists(mine, DOOR) and not Dataset.exists(mine, RADIUS)
    with pytest.raises(InputError, match=r"'d0--agent_radius-0.08' \(d0 with agent_radius 0.08\) is not collected"):
        plan_evaluation(config(), mine)
    judged(mine, kinds=("latent",))
    assert calls == [DOOR, RADIUS, RADIUS]


def test_a_name_that_is_taken_by_other_episodes_is_left_alone(mine: Store) -> None:
    few, more = (shifted_datasets(config(shift_episodes=n), mine, Dataset(mine, "d0"))[0] for n in (4, 6))
    assert few.name == more.name == DOOR
    judged(mine, kinds=("latent",), shift={"door": 0.1}, shift_episodes=4)
    again, other = (shifted_datasets(config(shift_episodes=n), mine, Dataset(mine, "d0"))[0] for n in (4, 6))
    assert again.name == DOOR and other.name.startswith(f"{DOOR}-") and other.plan.episodes == 6


def test_the_usual_dataset_stays_as_long_as_its_shifts(shifted: Store) -> None:
    with pytest.raises(InputError, match=r"dataset 'd0--door-0\.1' is d0 with door 0\.1"):
        plan_removal(shifted, "dataset", "d0")


def test_the_command_shows_each_cell_and_gives_all_of_it_to_programs(
    mine: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["evaluate", "--model", "m0", "--protocol", "tiny-v1", "--executor", "local", "--store", mine.uri]
    ask += ["--kinds", "latent", "--shift", "door=0.1,0.5", "--shift-episodes", "8"]
    assert main(ask) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        sum(line.startswith("door 0.1 ") for line in lines) == sum(line.startswith("door 0.5 ") for line in lines) > 0
    )
    assert any("p: Holm, over" in line for line in lines)
    assert [line for line in lines if "training contained" in line] == [
        "no shift, for training contained this: door 0.5"
    ]
    assert main([*ask, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    matrix = shift_matrix(mine, "m0")
    assert [row["value"] for row in answer["shifts"]] == matrix.value.tolist()
    assert {row["factor_value"] for row in answer["shifts"]} == {0.1, 0.5} and len(answer["metrics"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shift": {"dor": (0.1,)}}, "world 'two_room' has no factor 'dor'; choose of: door"),
        ({"shift": {"door": (0.99,)}}, "shift door is 0.99, and possible is 0.08 to 0.92"),
        ({"shift": {"agent_radius": (0.5,)}}, "shift agent_radius is 0.5, and possible is"),
        ({"shift": {"agent_radius": (0.045,)}}, "shift agent_radius is 0.045, which is what all episodes of"),
        ({"protocol": "long-v1", "kinds": ("planning",)}, "test episode of"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_collected(
    mine: Store, changes: dict[str, object], said: str
) -> None:
    before = mine.list("")
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        prepare(config(**changes), mine)
    assert mine.list("") == before


def test_a_kind_without_headline_figures_cannot_be_compared(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EVALUATIONS.get("latent"), "headlines", ())
    with pytest.raises(InputError, match=r"kinds latent declare none; add one of: decoding, "):
        prepare(config(kinds=("latent",)), mine)


def test_nothing_is_left_of_a_run_without_shifts(mine: Store) -> None:
    found = judged(mine, shift={}, shift_episodes=None)
    assert isinstance(found.shifts, pd.DataFrame) and found.shifts.empty and shift_matrix(mine).empty
