"""What the latents of the nine counts look like; every figure is free of the latents' scale.

Shapes: M labelled observations, C = 9 counts, D latent, d nuisances.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from jepa.studies.auxiliary.samples import COUNTS

PAIRS = COUNTS * (COUNTS - 1) // 2
QUANTILE = 0.95
"""Share of a class's draws that lie within its radius."""
RIDGE = 1e-6


@dataclass(frozen=True)
class Latents:
    """Latents (M, D) of labelled draws."""

    z_MD: Tensor
    count_M: Tensor
    nuisance_Md: Tensor

    @property
    def centroid_CD(self) -> Tensor:
        """Returns the mean latent of each count."""
        return torch.stack([self.z_MD[self.count_M == count].mean(0) for count in range(COUNTS)])

    @property
    def distance_CC(self) -> Tensor:
        """Returns the distances between the centroids."""
        return torch.cdist(self.centroid_CD, self.centroid_CD, compute_mode="donot_use_mm_for_euclid_dist")

    @property
    def spread(self) -> float:
        """Returns the root mean squared distance from the mean of all."""
        return float((self.z_MD - self.z_MD.mean(0)).square().sum(1).mean().sqrt())

    @property
    def spread_within(self) -> float:
        """Returns the root mean squared distance from the count's own centroid."""
        return float((self.z_MD - self.centroid_CD[self.count_M]).square().sum(1).mean().sqrt())


def class_figures(fitted: Latents, held_out: Latents) -> dict[str, float]:
    """Returns how well the counts are apart.

    - `accuracy`: share of held-out draws that are nearest to their own count's centroid; by chance 1/9.
    - `collisions`: of the 36 pairs of counts, those whose centroids are closer than the sum of their radii.
    - `gap_over_spread`: the smallest distance of two centroids in units of the spread within counts.
    - `within_share`: spread within counts over spread of all; 1 where the count explains nothing.
    """
    distance_CC, tiny = fitted.distance_CC, torch.finfo(torch.float64).tiny
    off_M = (fitted.z_MD - fitted.centroid_CD[fitted.count_M]).norm(dim=1)
    radius_C = torch.stack([off_M[fitted.count_M == count].quantile(QUANTILE) for count in range(COUNTS)])
    one, other = torch.triu_indices(COUNTS, COUNTS, 1)
    nearest_M = torch.cdist(held_out.z_MD, fitted.centroid_CD).argmin(1)
    return {
        "accuracy": float((nearest_M == held_out.count_M).double().mean()),
        "collisions": float((distance_CC[one, other] <= radius_C[one] + radius_C[other]).sum()),
        "gap_over_spread": float(distance_CC[one, other].min()) / max(fitted.spread_within, tiny),
        "within_share": fitted.spread_within / max(fitted.spread, tiny),
    }


def nuisance_r2(fitted: Latents, held_out: Latents) -> float:
    """Returns R² of a linear map from latents to nuisances on held-out draws; counts without objects play no part."""
    scale = max(fitted.spread, torch.finfo(torch.float64).tiny)
    (x, y), (x_test, y_test) = (_design(one, fitted.z_MD.mean(0), scale) for one in (fitted, held_out))
    weights = torch.linalg.solve(x.T @ x + RIDGE * len(x) * torch.eye(x.shape[1], dtype=x.dtype), x.T @ y)
    residual, total = (y_test - x_test @ weights).square().sum(0), (y_test - y_test.mean(0)).square().sum(0)
    return float((1 - residual / total).mean())


def rank_me(z_MD: Tensor) -> float:
    """Returns RankMe: exp of the entropy of the latents' normalised singular values (Garrido et al. 2023), 1 to D."""
    values = torch.linalg.svdvals(z_MD)
    share = values / values.sum().clamp_min(torch.finfo(torch.float64).tiny)
    return float(torch.special.entr(share).sum().exp())


def principal_plane(z_MD: Tensor) -> Tensor:
    """Returns the first two principal components (M, 2) in units of the latents' spread."""
    centred = z_MD - z_MD.mean(0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    plane = directions[:2]
    # A direction's sign is arbitrary: its largest entry is made positive, so that the same latents make the same map.
    sign = plane.gather(1, plane.abs().argmax(1, keepdim=True)).sign()
    scale = centred.square().sum(1).mean().sqrt().clamp_min(torch.finfo(torch.float64).tiny)
    projected: Tensor = centred @ (plane * sign).T / scale
    return projected


def _design(latents: Latents, mean_D: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    shown_M = latents.count_M > 0
    z = (latents.z_MD[shown_M] - mean_D) / scale
    return torch.cat([z, torch.ones(len(z), 1, dtype=z.dtype)], dim=1), latents.nuisance_Md[shown_M].double()
