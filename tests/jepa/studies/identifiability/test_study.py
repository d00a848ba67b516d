"""The study as a whole, on cells of a few steps."""

import pytest

from jepa.core.errors import InputError
from jepa.studies import STUDIES, cells_of, run_study
from jepa.studies.identifiability.presets import PAPER, TINY
from jepa.studies.identifiability.study import EXPERIMENTS, Identifiability

FEW = {"steps": 3, "samples": 300, "batch": 16, "width": 8, "directions": 4, "seed": 0, "restarts": 1, "frames": 20}


def test_presets_hold_their_experiments() -> None:
    study = Identifiability()
    tiny, paper = study.cells("tiny"), study.cells("paper")
    assert {cell.experiment for cell in tiny} == set(EXPERIMENTS) - {"reacher"}
    assert {cell.experiment for cell in paper} == set(EXPERIMENTS)
    assert {cell.dim for cell in paper if cell.experiment == "scaling"} == {2**k for k in range(1, 11)}
    assert sum(cell.experiment == "grid" for cell in paper) == 189
    assert max(study.cost(cell) for cell in paper) > 1000 * max(study.cost(cell) for cell in tiny)


def test_every_experiment_of_tiny_fills_the_tables() -> None:
    blocks = [{**block, **FEW} for block in TINY]
    first = run_study("identifiability", grid=blocks)
    again = run_study("identifiability", grid=blocks)
    drop = [{name: value for name, value in row.items() if name != "seconds"} for row in first.rows]
    assert drop == [{name: value for name, value in row.items() if name != "seconds"} for row in again.rows]
    assert {row["experiment"] for row in first.rows} == {block["experiment"] for block in TINY}
    columns = {column.name for column in STUDIES.get("identifiability").own_table().columns}
    assert all(set(row) == columns for row in first.rows)
    for table in Identifiability.tables:
        names = {column.name for column in table.columns}
        assert first.tables[table.name] and all(set(row) == names for row in first.tables[table.name])
    assert len(first.findings) == len(Identifiability.claims)


def test_a_slip_in_a_grid_is_named() -> None:
    with pytest.raises(InputError, match="scalling"):
        cells_of(Identifiability.Cell, [{"experiment": "scalling"}])
    with pytest.raises(InputError, match="dim 2, got 4"):
        run_study("identifiability", grid=[{"experiment": "latents", "mixing": "spiral", "dim": 4}])


def test_the_paper_preset_names_its_seeds() -> None:
    assert {seed for block in PAPER for seed in block["seed"]} == {*range(10), 1337, 1338, 1339}
