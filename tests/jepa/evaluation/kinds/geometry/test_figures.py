"""Figures of distances against those that are known beforehand."""

import numpy as np
import pytest

from jepa.evaluation.kinds.geometry.config import GeometryConfig
from jepa.evaluation.kinds.geometry.distances import Distances, EpisodeDistances
from jepa.evaluation.kinds.geometry.figures import figures_of, matched_ratio, pair_groups
from jepa.evaluation.statistics import Key

CONFIG = GeometryConfig(bins=4, matching_bins=4)


def paths(*latents: list[float]) -> Distances:
    """Returns paths of three frames and the end, whose true distances fall in the first two alone."""
    true = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 2.0, 1.0]])[: len(latents)]
    return Distances(np.array(latents), true, None)


def measured(pairs: Distances, along: Distances) -> dict[Key, float]:
    farthest = {"true": 4.0, "geodesic": 4.0}
    return figures_of(CONFIG, farthest)([EpisodeDistances(pairs, along)])


def test_distances_that_follow_the_truth_rank_as_it_does() -> None:
    true = np.linspace(0.1, 3.9, 80)
    found = measured(Distances(true**2, true, None), paths([9, 4, 1], [9, 4, 1], [1, 4, 1]))
    assert found["distance_rank_correlation", "true"] == pytest.approx(1)
    assert ("distance_rank_correlation", "geodesic") not in found and ("wall_ratio", None) not in found
    curve = [found["curve", f"true:all:{index}"] for index in range(4)]
    assert np.diff(curve).min() > 0.3 and np.mean(curve) == pytest.approx(1, abs=0.05)


def test_a_curve_that_saturates_is_flat_at_its_end() -> None:
    true = np.linspace(0.1, 3.9, 80)
    found = measured(Distances(true.clip(max=2), true, None), paths([3, 2, 1]))
    curve = [found["curve", f"true:all:{index}"] for index in range(4)]
    assert curve[2] == pytest.approx(curve[3]) and curve[0] < curve[1] < curve[2]


def test_paths_are_counted_where_each_frame_is_nearer() -> None:
    found = measured(Distances(np.ones(2), np.array([1.0, 2.0]), None), paths([9, 4, 1], [3, 5, 1], [3, 2, 1]))
    assert found["monotone_share", "all"] == pytest.approx(2 / 3) and found["monotone_share", "approaching"] == 0.5
    assert np.isnan(found["distance_rank_correlation", "true"]), "latents that are all alike have no rank"


def test_pairs_across_a_wall_are_compared_at_the_same_true_distance() -> None:
    true = np.array([0.5, 0.5, 1.5, 1.5, 3.5])
    geodesic = np.array([0.5, 1.0, 1.5, 3.0, 3.5])
    pairs = Distances(np.array([1.0, 1.5, 3.0, 4.5, 100.0]), true, geodesic)
    groups = pair_groups(pairs, 0.05)
    assert groups["across"].tolist() == [False, True, False, True, False]
    assert groups["one_side"].tolist() == [True, False, True, False, True]
    found = measured(pairs, paths([9, 4, 1]))
    assert found["wall_ratio", None] == pytest.approx(1.5), "the far pair, with nothing across beside it, is left out"
    none = np.zeros(5, dtype=bool)
    assert np.isnan(matched_ratio(pairs.latent, np.zeros(5, dtype=np.int64), none, groups["one_side"]))
