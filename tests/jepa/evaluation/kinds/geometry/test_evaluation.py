"""Planning geometry of a latent that is the position, of one that saturates, and of one that shows nothing."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from jepa.core.errors import InputError
from jepa.evaluation import GeometryConfig, GeometryEvaluation
from jepa.evaluation.evaluation import EvaluationResult
from jepa.worlds import WORLDS
from jepa.worlds.world import World
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

CONFIG = GeometryConfig(episodes=20, pairs=100, blocks=5)


class ShortSighted(CentroidModel):
    """Tells places apart that are near each other; far ones are all equally far."""

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        places = torch.linspace(0, 1, 12)
        near = [
            torch.exp(-((axis[..., None] - places) ** 2) / 0.01) for axis in super().encode(pixels_BTHWC).unbind(-1)
        ]
        return (near[0][..., :, None] * near[1][..., None, :]).flatten(-2)


class Blind(CentroidModel):
    """Encodes every frame alike."""

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        return torch.zeros(*pixels_BTHWC.shape[:2], 2)


def run(model: Any, source: MemorySource) -> EvaluationResult:
    return GeometryEvaluation(CONFIG, "p-v1").run("test", model, source, seed=0)


@pytest.fixture(scope="module")
def right(source: MemorySource) -> EvaluationResult:
    return run(CentroidModel(), source)


def test_a_latent_that_is_the_position_has_the_true_distance(right: EvaluationResult) -> None:
    values = figures(right.metrics, "quantity")
    assert values["true", "distance_rank_correlation"] > 0.999
    assert values["true", "distance_rank_correlation"] > values["geodesic", "distance_rank_correlation"] > 0.9
    assert values[None, "wall_ratio"] == pytest.approx(1, abs=0.02), "it knows nothing of the wall"
    assert 0.3 < values["all", "monotone_share"] < values["approaching", "monotone_share"] <= 1
    curve = [row for row in right.tables["geometry"] if (row["against"], row["pairs"]) == ("true", "all")]
    slope = [row["latent_distance"] / row["distance"] for row in curve]
    assert max(slope[1:]) < 1.05 * min(slope[1:])


def test_a_world_without_shortest_ways_has_no_wall(source: MemorySource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WORLDS.get("two_room"), "geodesic", World.geodesic)
    result = run(CentroidModel(), source)
    assert not {row["metric"] for row in result.metrics} & {"wall_ratio"}
    assert {(row["against"], row["pairs"]) for row in result.tables["geometry"]} == {("true", "all")}
    assert {row["quantity"] for row in result.metrics} == {"true", "all", "approaching"}


def test_a_curve_shows_where_latents_stop_telling_distances_apart(source: MemorySource) -> None:
    result = run(ShortSighted(), source)
    curve = [row for row in result.tables["geometry"] if (row["against"], row["pairs"]) == ("true", "all")]
    heights = {row["distance"]: row["latent_distance"] for row in curve}
    far = [height for distance, height in heights.items() if distance > 0.35]
    assert len(far) >= 4 and max(far) < 1.1 * min(far)
    assert heights[min(heights)] < 0.6 * min(far)


def test_intervals_hold_their_figures(right: EvaluationResult) -> None:
    for row in [*right.metrics, *right.tables["geometry"]]:
        value = row["value"] if "value" in row else row["latent_distance"]
        assert np.isfinite(value) and not row.get("ci_low", value) > value and not row.get("ci_high", value) < value
    assert {row["n"] for row in right.metrics} == {20}


def test_latents_that_are_all_alike_have_no_correlation_and_no_path(source: MemorySource) -> None:
    result = run(Blind(), source)
    assert {row["metric"] for row in result.metrics} == {"monotone_share"}
    assert {row["value"] for row in result.metrics} == {0} and result.tables["geometry"] == []


def test_short_episodes_have_pairs_and_no_paths_and_single_frames_neither() -> None:
    short = run(CentroidModel(), MemorySource({"test": 3}, steps=8))
    assert {row["metric"] for row in short.metrics} >= {"distance_rank_correlation"}
    assert "monotone_share" not in {row["metric"] for row in short.metrics}
    with pytest.raises(InputError, match="no 'test' episode has two frames"):
        run(CentroidModel(), MemorySource({"train": 1}))
    with pytest.raises(InputError, match="no held-out episodes, which geometry needs"):
        GeometryEvaluation(CONFIG, "p-v1").units(MemorySource({"train": 1}, steps=2))
