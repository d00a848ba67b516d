"""Open-loop prediction over several horizons: each prediction feeds the next, as a planner imagines.

    E_h = mean (ẑ_{c+h} - z_{c+h})²,   L = Σ_h w_h · E_h,   w_h = h / (1 + … + H'),   h = 1 … H'
c is the model's history: from the clip's first c frames it is rolled out under the recorded actions, and sees no frame
after them. The largest horizon H' grows from 1 to H over a share of the steps, since far predictions of an untrained
model say nothing. RC-aux (arXiv:2605.07278) trains so over the horizons 1 to 4, beside the prediction of one step.
Shapes: B clips, T frames, K actions of an action block, A action dimensions, D latent, H horizons.
"""

from pydantic import Field, PositiveFloat
from torch import Tensor

from jepa.core.collectives import global_count, replicated_sum
from jepa.core.config import Config
from jepa.core.numerics import constant
from jepa.models.world_model import WorldModel


class OpenLoopConfig(Config):
    """How far the model is rolled out in training, and how much that counts."""

    open_loop_horizons: int = Field(0, ge=0, le=10_000)
    """H, action blocks that the model is rolled out over beside the prediction of one step; 0 leaves it at that. Clips
    have to be as long: train_options.horizon."""
    open_loop_weight: PositiveFloat = 1.0
    """Of the open-loop errors together; among them, weights grow linearly with the horizon and add up to one."""
    open_loop_growth: float = Field(0.5, ge=0.0, le=1.0)
    """Share of the steps over which the largest horizon grows linearly from 1 to H; 0 for H from the first step on."""

    def largest_horizon(self, step: int, total_steps: int) -> int:
        """Returns H' at a step."""
        growing = self.open_loop_growth * total_steps
        grown = 1.0 if step >= growing else step / growing
        return 1 + int((self.open_loop_horizons - 1) * grown)


def open_loop_errors(
    model: WorldModel, start_BTD: Tensor, target_BTD: Tensor, action_BTKA: Tensor, horizons: int
) -> Tensor:
    """Returns (H,): the mean square error over the global batch after each of so many action blocks.

    Args:
        model: what is rolled out; a BatchNorm of its predictor normalises each horizon by that one's own statistics.
        start_BTD: latents of the clips, of which the first `history` are looked at.
        target_BTD: what is to be predicted.
        action_BTKA: raw action blocks between the frames.
        horizons: H; the clips have so many frames beyond the model's history.
    """
    history = model.config.history
    past_BTKA, done_BHKA = action_BTKA[:, : history - 1], action_BTKA[:, history - 1 : history - 1 + horizons]
    zhat_BHD = model.rollout(start_BTD[:, :history], done_BHKA, past_BTKA)
    squares_BH = (zhat_BHD - target_BTD[:, history : history + horizons]).square().mean(2)
    return replicated_sum(squares_BH.sum(0)) / global_count(len(squares_BH))


def linearly_weighted(error_H: Tensor) -> Tensor:
    """Returns the mean of errors weighted by their horizons 1 … H."""
    count = len(error_H)
    total = count * (count + 1) / 2
    weights = tuple(horizon / total for horizon in range(1, count + 1))
    return (constant(weights, error_H.dtype, error_H.device) * error_H).sum()
