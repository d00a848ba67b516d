"""Grids as units of work: what a study refuses before any cell runs."""

from pathlib import Path
from typing import Any

import pytest

from infra.errors import InfraError
from infra.storage import open_store
from jepa.core.errors import InputError
from jepa.evaluation.declarations import Column, Table
from jepa.studies import STUDIES, Study
from pipelines.store.reports import committed_units
from pipelines.study import do_cell, plan_study, study
from tests.pipelines.study.asked import config, rows

REFUSED: dict[str, dict[str, Any]] = {
    "preset 'huge' of study 'sample_mean' is not known; choose one of: tiny, paper": {"preset": "huge"},
    "cell field 'sise' is not known to study 'sample_mean'; there are: experiment, seed, size": {"cell": {"sise": 3}},
    "cell field 'world' is not known": {"world": "two_room"},
    "grid.0.size": {"grid": [{"experiment": "size", "size": "many"}]},
    "grid.1.experiment": {"grid": [{"experiment": "size"}, {"size": 3}]},
    "the grid has no cell": {"grid": []},
    "the grid has no cell;": {"grid": [{"experiment": "size", "seed": []}]},
}


@pytest.mark.usefixtures("sample_mean")
@pytest.mark.parametrize("sentence", REFUSED)
def test_a_wrong_grid_is_a_sentence_and_writes_nothing(tmp_path: Path, sentence: str) -> None:
    store = open_store(str(tmp_path / "store"))
    with pytest.raises(InputError) as refused:
        study(config(**REFUSED[sentence]), store)
    assert sentence in str(refused.value) and "\n" not in str(refused.value)
    assert not store.list("")


def test_an_unknown_study_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="study 'nosuch' is not known; choose one of"):
        plan_study(config(study="nosuch"), open_store(str(tmp_path)))


@pytest.mark.usefixtures("sample_mean")
def test_the_run_is_named_after_the_preset_or_told_apart_by_its_grid(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    assert plan_study(config(), store).run == "sample-mean-tiny"
    assert config().named_grid == "tiny"
    assert config(cell={"size": 3}).named_grid is config(grid=[{"experiment": "size"}]).named_grid is None
    own = {plan_study(config(cell={"size": size}), store).run for size in (3, 4)}
    assert len(own) == 2 and all(name.startswith("sample-mean-") for name in own)


def test_a_cell_s_world_is_the_world_of_its_rows(tmp_path: Path, sample_mean: type[Study]) -> None:
    placed = type("Placed", (sample_mean.Cell,), {"__annotations__": {"world": str}, "world": "ring"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_mean, "Cell", placed)
        store = open_store(str(tmp_path))
        done = study(config(world="torus", cell={"seed": 0}), store)
        assert set(rows(store).world) == {"torus"} and {unit.world for unit in done.units} == {"torus"}
        assert not study(config(cell={"seed": 0}), store).earlier


def test_a_field_that_every_table_has_is_refused(tmp_path: Path, sample_mean: type[Study]) -> None:
    clash = type("Clash", (sample_mean.Cell,), {"__annotations__": {"model": str}, "model": "m0"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_mean, "Cell", clash)
        with pytest.raises(InputError, match="names a column 'model', which every table has; rename it"):
            study(config(), open_store(str(tmp_path)))


def test_cells_of_another_version_are_not_mixed(
    tmp_path: Path, sample_mean: type[Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path / "store"))
    planned = plan_study(config(), store)
    monkeypatch.setattr(sample_mean, "version", 2)
    with pytest.raises(InfraError, match="has version 1 where it was planned and 2 here"):
        do_cell(planned.units[0])
    assert not committed_units(store)
    assert {unit.key for unit in plan_study(config(), store).units}.isdisjoint(unit.key for unit in planned.units)


@pytest.mark.usefixtures("sample_mean")
def test_ranges_and_tuples_are_the_lists_that_they_stand_for(tmp_path: Path) -> None:
    asked = [
        config(grid=[{"experiment": "size", "seed": seeds}], cell={"size": sizes})
        for seeds, sizes in ((range(2), (3, 4)), ((0, 1), range(3, 5)), ([0, 1], [3, 4]))
    ]
    done = [study(one, open_store(str(tmp_path))) for one in asked]
    assert len({one.run for one in done}) == 1 and len(done[0].units) == 4 and len(done[2].earlier) == 4


@pytest.mark.parametrize("name", ["points", "study_other_points", "metrics", "study_sample_mean_more_points"])
def test_a_table_that_would_be_found_as_another_s_is_refused(
    tmp_path: Path, sample_mean: type[Study], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(STUDIES._entries, "sample_mean_more", sample_mean)
    monkeypatch.setattr(sample_mean, "tables", (Table(name, (Column("a", "int", "one"),)),))
    with pytest.raises(InputError, match=f"table '{name}' of study 'sample_mean' has the name of a table of"):
        study(config(), open_store(str(tmp_path)))
