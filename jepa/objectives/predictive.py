"""What objectives that predict latents offer beside their own terms: open-loop prediction, and a head for planners.

Shapes: B clips, T frames, D latent.
"""

from typing import Any

from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.errors import InputError
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import Objective
from jepa.objectives.terms.joint_head import JointHeadConfig, joint_head_loss, make_joint_head
from jepa.objectives.terms.open_loop import OpenLoopConfig, linearly_weighted, open_loop_errors
from jepa.planning.heads.head import Head


class PredictiveConfig(OpenLoopConfig, JointHeadConfig):
    """Options of every objective that predicts latents; by default none of them adds anything."""


class PredictiveObjective(Objective):
    """An objective that predicts latents from latents; its `forward` ends in `with_options`."""

    config: PredictiveConfig

    def __init__(self, model: WorldModel, config: Any) -> None:
        super().__init__(model, config)
        self.joint_head = make_joint_head(config, model)

    def planning_head(self) -> Head | None:
        """Returns the head for planners that is trained with the model."""
        return self.joint_head

    def check_horizon(self, horizon: int) -> None:
        """Passes where clips of so many frames beyond the model's history are long enough; raises `InputError`."""
        asked = self.config.open_loop_horizons
        if asked > horizon:
            raise InputError(
                f"objective_options.open_loop_horizons is {asked} and clips have {horizon} frames beyond the model's "
                f"history; raise train_options.horizon to {asked}, or ask for fewer horizons"
            )

    def with_options(
        self,
        terms: dict[str, Tensor],
        clips: Clips,
        step: int,
        total_steps: int,
        z_BTD: Tensor,
        *,
        start_BTD: Tensor | None = None,
        target_BTD: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Returns an objective's terms with those added that its options ask for; untouched where they ask for none.

        They are `open_loop_horizon`, `open_loop_prediction` and one of these for each horizon (`…_1`, `…_2`), and
        `joint_head`: the head's loss.

        Args:
            terms: the objective's own, `loss` among them.
            clips: this process's part of the global batch.
            step: steps done so far.
            total_steps: of the whole run.
            z_BTD: latents of the clips.
            start_BTD: what the model is rolled out from, where it is not they.
            target_BTD: what it is compared with, where it is not they.

        Raises:
            InputError: the clips are too short.
        """
        config, loss = self.config, terms["loss"]
        if config.open_loop_horizons:
            self.check_horizon(z_BTD.shape[1] - self.model.config.history)
            largest = config.largest_horizon(step, total_steps)
            start_BTD = z_BTD if start_BTD is None else start_BTD
            target_BTD = z_BTD if target_BTD is None else target_BTD
            error_H = open_loop_errors(self.model, start_BTD, target_BTD, clips.action_BTKA, largest)
            open_loop = linearly_weighted(error_H)
            loss = loss + config.open_loop_weight * open_loop
            terms |= {
                "open_loop_horizon": loss.new_full((), float(largest)),
                "open_loop_prediction": open_loop.detach(),
                **{f"open_loop_prediction_{i}": error.detach() for i, error in enumerate(error_H.unbind(), start=1)},
            }
        if self.joint_head is not None:
            action_BTKA = clips.action_BTKA
            head_loss = joint_head_loss(self.joint_head, config, self.model, z_BTD, action_BTKA, step, self.seed)
            loss = loss + config.joint_head_weight * head_loss
            terms["joint_head"] = head_loss.detach()
        return terms | {"loss": loss}
