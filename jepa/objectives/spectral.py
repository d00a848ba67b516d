"""The spectral objective (arXiv:2606.27014, eq. 16): a low-rank factorisation of the world's transition operator.

    L = mean over i ≠ j of (ẑ_i · z⁺_j)² - 2 · mean over i of ẑ_i · z⁺_i
where ẑ_i is predicted from a frame and its actions, z⁺_i is the latent of its true successor and z⁺_j that of another
clip's at the same time. Its expectation is ‖M̄ - GᵀF‖² - ‖M̄‖² (Frobenius), M̄ being the transition probabilities
divided by the square roots of both marginals: least where G and F are M̄'s first D singular vectors.
The paper draws z⁺_j after the same action, which continuous actions never repeat: here it is any clip of the batch, so
that M̄ is that of state and action together.
Shapes: B clips, T frames, D latent; N pairs of a time step.
"""

import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.collectives import global_count, replicated_sum
from jepa.core.config import Config
from jepa.objectives.objective import OBJECTIVES, Objective
from jepa.objectives.terms.diagnostics import latent_diagnostics


class SpectralConfig(Config):
    """The loss has no weights to set."""


@OBJECTIVES.register("spectral")
class Spectral(Objective):
    """Contrasts each predicted successor with the true one and with all others of the global batch."""

    Config = SpectralConfig
    config: SpectralConfig

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, `attraction`, `repulsion` and, with diagnostics, those of `latent_diagnostics`."""
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        zhat_BTD = self.model.predict(z_BTD[:, :-1], clips.action_BTKA)
        attraction, repulsion = spectral_terms(zhat_BTD.transpose(0, 1), z_BTD[:, 1:].transpose(0, 1))
        terms = {
            "loss": repulsion - 2 * attraction,
            "attraction": attraction.detach(),
            "repulsion": repulsion.detach(),
        }
        return terms | (latent_diagnostics(z_BTD) if diagnostics else {})


def spectral_terms(predicted_TND: Tensor, successor_TND: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the means over time of ẑ_i · z⁺_i and of (ẑ_i · z⁺_j)² over all i ≠ j, of the global batch.

    Σ_ij (ẑ_i · z⁺_j)² = tr(Σ ẑẑᵀ Σ z⁺z⁺ᵀ): all pairs at the cost of two D × D sums; the N with i = j are taken off.

    Raises:
        ValueError: there is no other clip to contrast with.
    """
    count = global_count(predicted_TND.shape[1])
    if count < 2:
        raise ValueError(f"contrasting needs at least 2 clips in the global batch, got {count}")
    own_TN = (predicted_TND * successor_TND).sum(-1)
    steps, _, size = predicted_TND.shape
    with torch.autocast(predicted_TND.device.type, enabled=False):
        products_TDD, others_TDD = predicted_TND.mT @ predicted_TND, successor_TND.mT @ successor_TND
    flat_TX = torch.cat(
        [
            products_TDD.flatten(1),
            others_TDD.flatten(1),
            own_TN.sum(1, keepdim=True),
            own_TN.square().sum(1, keepdim=True),
        ],
        dim=1,
    )
    products_TX, others_TX, own_T1, own_squares_T1 = replicated_sum(flat_TX).split([size * size, size * size, 1, 1], 1)
    pairs_T1 = (products_TX * others_TX).sum(1, keepdim=True) - own_squares_T1
    return own_T1.sum() / (steps * count), pairs_T1.sum() / (steps * count * (count - 1))
