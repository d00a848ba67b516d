"""PLDM's objective: prediction kept from collapse by the VICReg family and inverse dynamics (arXiv:2502.14819).

    L = prediction + α variance + β covariance + γ time similarity + ζ time variance + ν time covariance + μ inverse
The seven terms are those that LeWorldModel (arXiv:2603.19312) compares itself with. The default weights are the best of
its grid of 256, α 18, β 12, γ 0.2, ζ 0.7, ν 0, μ 0; which letter names which of the last four terms is our reading.
VICReg is arXiv:2105.04906, eqs. 1 and 3.
Shapes: B clips, T frames, K actions of an action block, A action dimensions, D latent; G groups of N rows.
"""

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from jepa.core.clips import Clips
from jepa.core.collectives import all_reduce_sum, global_count, global_mean, replicated_sum
from jepa.core.numerics import at_least_float32
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import OBJECTIVES
from jepa.objectives.predictive import PredictiveConfig, PredictiveObjective
from jepa.objectives.terms.diagnostics import latent_diagnostics


class PLDMConfig(PredictiveConfig):
    """Weights of the six terms beside prediction."""

    variance: NonNegativeFloat = 18.0
    """α, of the hinge on each dimension's spread over the batch."""
    covariance: NonNegativeFloat = 12.0
    """β, of the squared covariances between dimensions over the batch."""
    time_similarity: NonNegativeFloat = 0.2
    """γ, of the squared change from frame to frame."""
    time_variance: NonNegativeFloat = 0.7
    """ζ, of the hinge on each dimension's spread over a clip's frames."""
    time_covariance: NonNegativeFloat = 0.0
    """ν, of the squared covariances between dimensions over a clip's frames."""
    inverse_dynamics: NonNegativeFloat = 0.0
    """μ, of the error in predicting the action block from two successive latents."""
    target_std: PositiveFloat = 1.0
    """Spread below which the hinges push."""
    head_size: PositiveInt = 256
    """Hidden size of the inverse dynamics head."""


@OBJECTIVES.register("pldm")
class PLDM(PredictiveObjective):
    """Next-latent prediction plus six regularisers; the inverse dynamics head exists where its weight is not zero."""

    Config = PLDMConfig
    config: PLDMConfig

    def __init__(self, model: WorldModel, config: PLDMConfig) -> None:
        super().__init__(model, config)
        sizes = model.config
        self.inverse: nn.Module | None = None
        if config.inverse_dynamics:
            self.inverse = nn.Sequential(
                nn.Linear(2 * sizes.latent_size, config.head_size),
                nn.GELU(),
                nn.Linear(config.head_size, sizes.frameskip * sizes.action_size),
            )

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, each term unweighted and, with diagnostics, those of `latent_diagnostics`."""
        config = self.config
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        zhat_BTD = self.model.predict(z_BTD[:, :-1], clips.action_BTKA)
        over_batch_TDD = batch_covariance(z_BTD)
        over_time_BDD = time_covariance(z_BTD)
        weighted = {
            "prediction": (1.0, global_mean((zhat_BTD - z_BTD[:, 1:]).square())),
            "variance": (config.variance, spread_hinge(over_batch_TDD, config.target_std).mean()),
            "covariance": (config.covariance, off_diagonal(over_batch_TDD).mean()),
            "time_similarity": (config.time_similarity, global_mean(z_BTD.diff(dim=1).square())),
            "time_variance": (config.time_variance, global_mean(spread_hinge(over_time_BDD, config.target_std))),
            "time_covariance": (config.time_covariance, global_mean(off_diagonal(over_time_BDD))),
        }
        if self.inverse is not None:
            weighted["inverse_dynamics"] = (config.inverse_dynamics, self._inverse_error(z_BTD, clips.action_BTKA))
        terms = {name: term.detach() for name, (_, term) in weighted.items()}
        loss = torch.stack([weight * term for weight, term in weighted.values()]).sum()
        terms = self.with_options({"loss": loss} | terms, clips, step, total_steps, z_BTD)
        return terms | (latent_diagnostics(z_BTD) if diagnostics else {})

    def _inverse_error(self, z_BTD: Tensor, action_BTKA: Tensor) -> Tensor:
        assert self.inverse is not None
        read_BTX = self.inverse(torch.cat([z_BTD[:, :-1], z_BTD[:, 1:]], dim=-1))
        action_BTX = ((action_BTKA - self.model.action_mean) / self.model.action_std).flatten(2)
        return global_mean((at_least_float32(read_BTX) - action_BTX).square())


def batch_covariance(z_BTD: Tensor) -> Tensor:
    """Returns (T, D, D): the unbiased covariance over the global batch at each time step.

    Raises:
        ValueError: a spread is not defined for fewer than 2 clips.
    """
    count = global_count(len(z_BTD))
    if count < 2:
        raise ValueError(f"a spread needs at least 2 clips in the global batch, got {count}")
    centred_BTD = z_BTD - all_reduce_sum(z_BTD.sum(0)) / count
    # Half precision loses small spreads, which are the very thing watched here.
    with torch.autocast(z_BTD.device.type, enabled=False):
        products_TDD = torch.einsum("btd,bte->tde", centred_BTD, centred_BTD)
    return replicated_sum(products_TDD) / (count - 1)


def time_covariance(z_BTD: Tensor) -> Tensor:
    """Returns (B, D, D): the unbiased covariance over the frames of each clip."""
    centred_BTD = z_BTD - z_BTD.mean(1, keepdim=True)
    with torch.autocast(z_BTD.device.type, enabled=False):
        return torch.einsum("btd,bte->bde", centred_BTD, centred_BTD) / (z_BTD.shape[1] - 1)


def spread_hinge(covariance_GDD: Tensor, target_std: float) -> Tensor:
    """Returns (G, D): how much each standard deviation falls short of the target; 1e-4 keeps its slope finite."""
    return torch.relu(target_std - (covariance_GDD.diagonal(dim1=1, dim2=2) + 1e-4).sqrt())


def off_diagonal(covariance_GDD: Tensor) -> Tensor:
    """Returns (G,): the mean square of the covariances between different dimensions."""
    size = covariance_GDD.shape[-1]
    others_DD = ~torch.eye(size, dtype=torch.bool, device=covariance_GDD.device)
    return (covariance_GDD * others_DD).square().sum((1, 2)) / max(1, size * (size - 1))
