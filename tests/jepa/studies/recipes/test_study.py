"""Cells of the sweep: what they measure, on which episodes, within which budget."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jepa.core.episodes import SPLITS
from jepa.studies import STUDIES, cells_of, run_study
from jepa.studies.claims import CellRows
from jepa.studies.in_memory import Collection, MemoryEpisodes, collected, judged_on
from jepa.studies.recipes import sizes, study
from jepa.studies.recipes.cell import RecipesCell
from jepa.studies.recipes.choice import sweeps
from jepa.studies.recipes.presets import TINY
from jepa.studies.study import Measure

SHORT: dict[str, Any] = TINY | {"experiment": "reference", "amount": 6.0, "episodes": 16, "batch_size": 16}
CLOCKED = {"training_seconds"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges by few problems and short fits: these tests look at no figure's size."""
    tiny = sizes.SIZES["tiny"]
    quick = replace(
        tiny,
        head={**tiny.head, "steps": 20},
        probing={**tiny.probing, "train_frames": 100, "validation_frames": 40, "test_frames": 60},
        planning={**tiny.planning, "problems": 4},
        cem={**tiny.cem, "samples": 16, "elites": 4, "iterations": 2},
        warm={**tiny.warm, "samples": 8, "iterations": 1},
    )
    monkeypatch.setattr(sizes, "SIZES", {**sizes.SIZES, "tiny": quick})
    for module in ("cell", "study"):
        monkeypatch.setattr(f"jepa.studies.recipes.{module}.SIZES", {**sizes.SIZES, "tiny": quick})


def measured(**fields: Any) -> list[Measure]:
    (cell,) = cells_of(RecipesCell, [SHORT | fields])
    return study.RecipesStudy().run(cell).measures


def figures(found: list[Measure], part: str = "") -> dict[tuple[str, str | None], float]:
    kept = [one for one in found if one.metric.startswith(part) and one.metric not in CLOCKED]
    return {(one.metric, one.quantity): one.value for one in kept}


def test_a_cell_has_every_figure_of_both_splits_and_is_a_function_of_its_fields() -> None:
    found = figures(measured())
    for split in ("validation", "test"):
        for planner in ("cem", "inverse", "warm", "oracle", "random"):
            by = "_by_references" if planner in ("oracle", "random") else ""
            assert (f"{split}_goals_reached{by}", f"{planner}, uniform") in found
            assert (f"{split}_regret{by}", f"{planner}, cross_room") in found or planner == "oracle"
        for quantity in ("agent_position", "door"):
            assert {(f"{split}_linear_r2", quantity), (f"{split}_mlp_r2", quantity)} <= found.keys()
        assert found[f"{split}_score", None] == pytest.approx(
            (found[f"{split}_goals", None] + found[f"{split}_read", None]) / 2
        )
    assert {("prediction_error", None), ("unpredicted", None), ("loss", None), ("prediction", None)} <= found.keys()
    assert found["steps", None] == 6
    assert figures(measured()) == found != figures(measured(seed=1))


def with_other(split: str) -> Callable[[Collection], MemoryEpisodes]:
    """Returns a collection whose episodes of one split are others than usual."""

    def collect(wanted: Collection) -> MemoryEpisodes:
        usual, other = collected(wanted), collected(replace(wanted, seed=99))
        held = {one: list((other if one == split else usual).episodes(one)) for one in SPLITS}
        return MemoryEpisodes(usual.world, usual.world_options, held)

    return collect


def test_test_episodes_change_no_figure_that_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = measured()
    monkeypatch.setattr(study, "collected", with_other("test"))
    other = measured()
    kept = [name for name in figures(usual) if not name[0].startswith("test_")]
    assert {name: figures(other)[name] for name in kept} == {name: figures(usual)[name] for name in kept}
    assert figures(other, "test_") != figures(usual, "test_")
    monkeypatch.setattr(study, "collected", with_other("validation"))
    assert figures(measured(), "validation_") != figures(usual, "validation_")


def test_a_split_is_judged_by_its_own_episodes_and_those_that_are_trained_on() -> None:
    (cell,) = cells_of(RecipesCell, [SHORT])
    source = collected(cell.collection())
    for split in ("validation", "test"):
        view = judged_on(source, split)
        assert [one.index for one in view.episodes("test")] == [one.index for one in source.episodes(split)]
        assert {one.split for one in view.episodes("test")} == {"test"} and view.count("unseen") == 0
        train = [one.index for part in ("train", "validation") for one in view.episodes(part)]
        assert train == [one.index for one in source.episodes("train")] and view.count("validation") == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"frameskip": 10, "latent_size": 8, "regressed": "usual", "world_options": "distractor=true"},
        {"history": 2, "joint_head": "inverse", "open_loop_horizons": 2, "policies": "mixed"},
    ],
)
def test_every_field_is_trained_and_judged(fields: dict[str, Any]) -> None:
    found = figures(measured(**fields))
    assert found.keys() >= {("validation_score", None), ("test_score", None)} and found["latent_spread", None] > 0


def test_seconds_become_steps_that_are_recorded() -> None:
    found = figures(measured(budget="seconds", amount=0.2))
    assert found["steps", None] >= 1


def test_a_recipe_that_diverges_has_no_score_and_stops_no_sweep() -> None:
    blocks = [SHORT, SHORT | {"experiment": "rate_huge", "learning_rate": 1e30}]
    result = run_study("recipes", grid=blocks)
    (sweep,) = sweeps(CellRows(result.rows))
    lost = next(one for one in sweep.candidates if one.name == "rate_huge")
    assert lost.mean("failed") == 1 and lost.mean("validation_score") == 0 == lost.mean("test_score")
    assert sweep.chosen is sweep.reference


def test_the_sweep_runs_in_push_t() -> None:
    found = figures(measured(world="pusht", episodes=2, batch_size=8, regressed="usual"))
    assert {("validation_linear_r2", "agent_position"), ("test_goals_reached", "inverse, moved_block")} <= found.keys()


def test_the_study_is_known_by_its_name() -> None:
    kind = STUDIES.get("recipes")
    assert kind.Cell is RecipesCell and {"tiny", "hour", "night", "paper"} == set(kind.presets)
    assert kind.section is not None
    shown = {chart.where["metric"] for chart in kind.section.charts}
    assert {"validation_score", "steps"} <= shown and not any(str(name).startswith("test_") for name in shown)
