"""The benchmark for GPUs runs on a machine without one, in one process and in two."""

import pytest

from jepa.training.recipes import RECIPES
from tests.bench.training.bench_gpu_step import TILES, Task, measure

PARTS = {"copy", "encoder", "projector", "predictor", "directions", "sigreg", "backward", "optimiser", "whole step"}


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_it_names_every_part_of_a_step_and_nothing_waits(processes: int) -> None:
    recipe = RECIPES.get("smoke").for_world(32, 2)
    figures = measure(Task("cpu", processes, recipe, ("fp32",), steps=2))
    assert figures["devices"] == ["cpu"] and figures["fp32"]["clips_per_second"] > 0
    parts = figures["fp32"]["milliseconds_by_part"]
    assert set(parts) == PARTS and max(parts, key=parts.__getitem__) == "whole step"
    assert figures["fp32"]["waits"] == 0
    assert len(figures["sigreg_milliseconds_by_tile"]) == len(TILES)
