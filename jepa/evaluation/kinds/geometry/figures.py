"""Figures of the distances of some episodes.

Shapes: N pairs of all episodes, B bins, W paths, S frames of a path less its last.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from jepa.evaluation.kinds.geometry.config import GeometryConfig
from jepa.evaluation.kinds.geometry.distances import Distances, EpisodeDistances, Floats
from jepa.evaluation.statistics import Key, rank_correlation

CURVE = "curve"
"""Metric of a point of a curve; its quantity is `<distance>:<pairs>:<bin>`."""
ROUNDING = 1e-3
"""Share by which a shortest way may seem longer than the straight one where nothing lies between."""

Figures = Callable[[Sequence[EpisodeDistances]], dict[Key, float]]


def figures_of(config: GeometryConfig, farthest: dict[str, float]) -> Figures:
    """Returns the function from episodes to figures.

    - `distance_rank_correlation`: Spearman of latent with `true` and with `geodesic` distance, over all pairs.
    - `monotone_share`: of `all` paths, and of those that are `approaching` their end (their shortest way, or where none
      is known their true distance, shrinks at each frame): along how many the latent distance to the end shrinks, too.
    - `wall_ratio`: mean latent distance of pairs across a wall, over that of pairs with nothing between them, weighted
      so that both have the true distances of the former.
    - `curve`: mean latent distance by bins of distance, in units of that of all pairs.

    Args:
        config: of the bins.
        farthest: the greatest `true` and `geodesic` distance, where the bins end.
    """

    def figures(episodes: Sequence[EpisodeDistances]) -> dict[Key, float]:
        pairs = joined([one.pairs for one in episodes])
        found: dict[Key, float] = {}
        for name, distance_N in known(pairs).items():
            found["distance_rank_correlation", name] = rank_correlation(pairs.latent, distance_N)
        found |= _monotone([one.paths for one in episodes])
        groups = pair_groups(pairs, config.detour)
        if "across" in groups:
            class_N = _bin(pairs.true, farthest["true"], config.matching_bins)
            found["wall_ratio", None] = matched_ratio(pairs.latent, class_N, groups["across"], groups["one_side"])
        scale = pairs.latent.mean()
        for name, distance_N in known(pairs).items():
            bin_N = _bin(distance_N, farthest[name], config.bins)
            for group, member_N in groups.items():
                for index, mean in _means(pairs.latent[member_N], bin_N[member_N]).items():
                    found[CURVE, f"{name}:{group}:{index}"] = mean / scale if scale > 0 else float("nan")
        return found

    return figures


def joined(parts: Sequence[Distances]) -> Distances:
    """Returns the distances of all parts."""
    geodesics = [part.geodesic for part in parts if part.geodesic is not None]
    return Distances(
        np.concatenate([part.latent for part in parts]),
        np.concatenate([part.true for part in parts]),
        np.concatenate(geodesics) if len(geodesics) == len(parts) else None,
    )


def known(pairs: Distances) -> dict[str, Floats]:
    """Returns the distances of states that there are, by name."""
    return {"true": pairs.true} | ({} if pairs.geodesic is None else {"geodesic": pairs.geodesic})


def pair_groups(pairs: Distances, detour: float) -> dict[str, NDArray[np.bool_]]:
    """Returns which pairs (N,) count as `all`, and where the shortest way is known as `across` a wall or `one_side`."""
    groups = {"all": np.ones(len(pairs.true), dtype=bool)}
    if pairs.geodesic is not None:
        groups["across"] = pairs.geodesic >= (1 + detour) * pairs.true
        groups["one_side"] = pairs.geodesic <= (1 + ROUNDING) * pairs.true
        groups["across"] &= pairs.true > 0
    return groups


def matched_ratio(
    latent_N: Floats, class_N: NDArray[np.int64], across_N: NDArray[np.bool_], beside_N: NDArray[np.bool_]
) -> float:
    """Returns the ratio of mean latent distances, those beside weighted to the classes of those across.

    NaN where no class of true distance has pairs of both.
    """
    across, beside = (_means(latent_N[group], class_N[group]) for group in (across_N, beside_N))
    shared = sorted(set(across) & set(beside))
    weight = np.array([(class_N[across_N] == index).sum() for index in shared], dtype=np.float64)
    over, under = (weight @ np.array([group[index] for index in shared]) for group in (across, beside))
    return float(over / under) if len(shared) and under > 0 else float("nan")


def _monotone(paths: Sequence[Distances]) -> dict[Key, float]:
    held = [one for one in paths if one.true.size]
    if not held:
        return {}
    every = joined(held)
    falls_W = _falls(every.latent)
    approaching_W = _falls(every.true if every.geodesic is None else every.geodesic)
    shares = {"all": falls_W.mean(), "approaching": falls_W[approaching_W].mean() if approaching_W.any() else np.nan}
    return {("monotone_share", name): float(share) for name, share in shares.items()}


def _falls(distance_WS: Floats) -> NDArray[np.bool_]:
    """Returns which paths come nearer to their end at each frame; at the end the distance is 0."""
    to_end = np.concatenate([distance_WS, np.zeros((len(distance_WS), 1))], axis=1)
    falls: NDArray[np.bool_] = (np.diff(to_end, axis=1) < 0).all(axis=1)
    return falls


def _bin(distance_N: Floats, farthest: float, bins: int) -> NDArray[np.int64]:
    return np.minimum((distance_N / max(farthest, 1e-300) * bins).astype(np.int64), bins - 1)


def _means(value_N: Floats, index_N: NDArray[np.int64]) -> dict[int, float]:
    """Returns the mean value by index, of those that occur."""
    count_B, sum_B = np.bincount(index_N), np.bincount(index_N, weights=value_N)
    return {int(index): float(sum_B[index] / count_B[index]) for index in np.flatnonzero(count_B)}
