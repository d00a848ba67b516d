"""Figures that say whether the latents are healthy, where the loss cannot: the lowest loss may be the worst model.

Shapes: B clips of this process, T frames, D latent.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from jepa.core.collectives import all_reduce_sum
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig

SKETCH = SIGRegConfig(directions=64)
"""Few directions, the same ones on every step of every run: a change of the figure is one of the latents."""


@torch.no_grad()
def latent_diagnostics(z_BTD: Tensor, sigreg: bool = True) -> dict[str, Tensor]:
    """Returns scalars of the global batch.

    - `latent_std`: mean over dimensions of the standard deviation; 0 in full collapse, 1 where SIGReg has its way.
    - `latent_std_min`, `latent_std_median`, `latent_std_max`: of the same over dimensions. Some collapse before all do.
    - `latent_mean_max`: the largest absolute mean of a dimension; 0 where SIGReg has its way.
    - `effective_rank`: exp of the entropy of the covariance's normalised eigenvalues (Roy and Vetterli 2007), 1 to D.
    - `straightness`: mean cosine between successive changes of the latent, in [-1, 1]; needs 3 frames, else 0.
    - `sigreg`: the SIGReg statistic along the directions of `SKETCH`, about 1 for Gaussian latents.

    Args:
        z_BTD: this process's latents.
        sigreg: False where the objective reports its own statistic.
    """
    rows_ND = z_BTD.detach().flatten(0, 1).double()
    change_BTD = z_BTD.detach().diff(dim=1)
    cosine = F.cosine_similarity(change_BTD[:, 1:], change_BTD[:, :-1], dim=-1).double()
    size = rows_ND.shape[1]
    counts = rows_ND.new_tensor([len(rows_ND), cosine.numel()])
    flat = torch.cat([counts, cosine.sum()[None], rows_ND.sum(0), (rows_ND.T @ rows_ND).flatten()])
    counts, cosine_sum, sums_D, products = all_reduce_sum(flat).split([2, 1, size, size * size])
    mean_D = sums_D / counts[0]
    covariance_DD = products.view(size, size) / counts[0] - torch.outer(mean_D, mean_D)
    eigenvalues = torch.linalg.eigvalsh(covariance_DD.nan_to_num()).clamp_min(0)
    share = eigenvalues / eigenvalues.sum().clamp_min(1e-12)
    std_D = covariance_DD.diagonal().clamp_min(0).sqrt()
    figures = {
        "latent_std": std_D.mean(),
        "latent_std_min": std_D.min(),
        "latent_std_median": std_D.quantile(0.5),
        "latent_std_max": std_D.max(),
        "latent_mean_max": mean_D.abs().max(),
        "effective_rank": torch.special.entr(share).sum().exp(),
        "straightness": cosine_sum[0] / counts[1].clamp_min(1),
    }
    return figures | ({"sigreg": SIGReg(SKETCH)(z_BTD.detach().transpose(0, 1), step=0, seed=0)} if sigreg else {})
