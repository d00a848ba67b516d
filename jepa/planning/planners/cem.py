"""Planning in the latent space of a world model: the cross-entropy method on ‖ẑ_H − z_g‖², the final step only.

Shapes: P problems, S samples, C candidates rolled out at once, T context frames, H action blocks, K actions in an
action block, A action dimensions, D latent.
"""

import time
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa.models.world_model import WorldModel
from jepa.planning.cross_entropy import CEMConfig, Cost, minimise
from jepa.planning.planner import PLANNERS, Plan, Planner, PlanningSetting, Situation


class LatentCEMConfig(CEMConfig):
    """The cross-entropy method's sizes and the precision of the imagined rollouts."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """of the candidates' rollouts; `auto` is bf16 where the processor multiplies in it, at half the time, else fp32"""


def latent_cost(model: WorldModel, z_PTD: Tensor, past_action_PTKA: Tensor, goal_PD: Tensor, at_once: int) -> Cost:
    """Returns the cost of action sequences: the squared distance of the imagined last latent to the goal's.

    Args:
        model: rolls latents forward.
        z_PTD: latents of the context, the newest last.
        past_action_PTKA: the T-1 action blocks between them, raw.
        goal_PD: latents of the goals.
        at_once: most candidates that are rolled out together.
    """

    def cost(action_PSHKA: Tensor) -> Tensor:
        problems, samples = action_PSHKA.shape[:2]
        parts = []
        for action_PCHKA in action_PSHKA.split(max(1, at_once // problems), dim=1):
            count = action_PCHKA.shape[1]
            z_BHD = model.rollout(
                z_PTD.repeat_interleave(count, 0),
                action_PCHKA.flatten(0, 1),
                past_action_PTKA.repeat_interleave(count, 0) if past_action_PTKA.shape[1] else None,
            )
            last_PCD = z_BHD[:, -1].unflatten(0, (problems, count))
            parts.append((last_PCD - goal_PD[:, None]).square().sum(-1))
        return torch.cat(parts, dim=1).view(problems, samples)

    return cost


@PLANNERS.register("cem")
class LatentCEM(Planner):
    """LeWorldModel's planner: encodes the current and the goal frame, then searches for actions in latent space.

    Its sizes are the paper's. What is ours: the unit of `init_std` is half the action range, candidates are clipped to
    the action space, and each iteration's mean competes as a candidate.
    """

    Config = LatentCEMConfig

    def __init__(self, config: LatentCEMConfig, setting: PlanningSetting) -> None:
        self.config = config
        self.model = setting.model.eval()
        self.history = self.model.config.history
        self.device = next(self.model.parameters()).device
        self.reduced = config.precision == "bf16" or (config.precision == "auto" and multiplies_bf16(self.device))
        spec = setting.spec()
        self.low = torch.tensor(spec.action_low, dtype=torch.float32, device=self.device)
        self.high = torch.tensor(spec.action_high, dtype=torch.float32, device=self.device)
        self.carried_out = setting.carried_out()

    @property
    def plan_steps(self) -> int:
        """Returns H·K, in action blocks of the model's frameskip."""
        return self.config.horizon * int(self.model.config.frameskip)

    @torch.inference_mode()
    def plan(self, situation: Situation) -> Plan:
        """Returns plans of H·K steps, or of the steps left, and the latents imagined after each action block."""
        parts = [self._plan_group(situation, group) for group in self.config.groups(len(situation.seeds))]
        actions, latents, seconds = zip(*parts, strict=True)
        return Plan(np.concatenate(actions), np.concatenate(seconds), latent_PHD=np.concatenate(latents))

    def _plan_group(
        self, situation: Situation, group: slice
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
        started = time.perf_counter()
        config = self.config.within(situation.steps_left, self.model.config.frameskip)
        z_PTD = self.model.encode(self._tensor(situation.pixels_PTHWC[group]))
        goal_PD = self.model.encode(self._tensor(situation.goal_pixels_PHWC[group, None]))[:, 0]
        past_action_PTKA = self._tensor(situation.past_action_PTKA[group])
        # Only the ranking of hundreds of candidates is done in half precision; what is encoded and reported is not.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.reduced):
            action_PHKA = minimise(
                latent_cost(self.model, z_PTD, past_action_PTKA, goal_PD, config.candidates_at_once),
                situation.seeds[group],
                (self.model.config.frameskip, self.model.config.action_size),
                self.low,
                self.high,
                config,
                self.carried_out,
            )
        past = past_action_PTKA if past_action_PTKA.shape[1] else None
        imagined_PHD = self.model.rollout(z_PTD, action_PHKA, past)
        action_PLA, latent_PHD = action_PHKA.flatten(1, 2).cpu().numpy(), imagined_PHD.float().cpu().numpy()
        seconds = (time.perf_counter() - started) / len(action_PLA)
        return action_PLA, latent_PHD, np.full(len(action_PLA), seconds)

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


def multiplies_bf16(device: torch.device) -> bool:
    """Returns whether the device has instructions for bfloat16 products; emulating them is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
