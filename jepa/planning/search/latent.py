"""The base of planners that search in a model's latent space: what they see, what they start from, what they answer.

Shapes: P problems, T context frames, E candidates that are kept, H action blocks, K actions in an action block,
A action dimensions, D latent.
"""

import time
from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, PositiveInt, field_validator
from torch import Tensor

from jepa.core.episodes import Actions
from jepa.core.errors import InputError
from jepa.planning.costs.cost import COSTS, complete_cost, make_cost
from jepa.planning.heads.rollout import inverse_rollout
from jepa.planning.planner import Plan, Planner, PlanningSetting, Situation
from jepa.planning.search.config import SearchConfig
from jepa.planning.search.imagination import Imagination
from jepa.planning.search.memory import peak_bytes
from jepa.planning.search.space import ActionSpace
from jepa.planning.search.task import Found, SearchTask


class LatentSearchConfig(SearchConfig):
    """What searches in a model's latent space have in common besides their sizes."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """of the candidates' rollouts; `auto` is bf16 where the processor multiplies in it, at half the time, else fp32"""
    history: Literal["real", "one"] = "real"
    """what the model sees of the past: its whole history of real frames and actions, or the present frame only"""
    cost: dict[str, Any] = Field(default_factory=lambda: {"name": "latent"}, validate_default=True)
    """what ranks the imagined futures: a registered cost's `name`, alone or with its options beside it"""
    keep_plan: bool = True
    """whether a look starts from what is left of the plan of the look before"""
    memory_mb: PositiveInt | None = None
    """megabytes that the rollouts may take besides the model's weights; if given, as many candidates are rolled out at
    once as fit, instead of `candidates_at_once`"""
    warm_start: Literal["inverse"] | None = None
    """head whose plan each look starts from; none starts from the centre, or from what `keep_plan` leaves"""

    @field_validator("cost", mode="before")
    @classmethod
    def _cost_by_its_name(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @field_validator("cost")
    @classmethod
    def _complete_cost(cls, given: dict[str, Any]) -> dict[str, Any]:
        return complete_cost(given)


class LatentSearch(Planner):
    """Encodes the present and the goal once, then searches for the actions whose imagined future costs least."""

    Config: ClassVar[type[LatentSearchConfig]]
    differentiates: ClassVar[bool] = False
    """Whether the search follows gradients through the rollout."""

    def __init__(self, config: Any, setting: PlanningSetting) -> None:
        self.config = config
        self.model = setting.model.eval()
        self.plan_cost = make_cost(config.cost, setting)
        self.history = self.model.config.history if config.history == "real" else 1
        self.device = next(self.model.parameters()).device
        self.reduced = config.precision == "bf16" or (config.precision == "auto" and multiplies_bf16(self.device))
        spec = setting.spec()
        low, high = (
            torch.tensor(bound, dtype=torch.float32, device=self.device)
            for bound in (spec.action_low, spec.action_high)
        )
        self.space = ActionSpace(low, high, setting.carried_out())
        self.first_guess = None if config.warm_start is None else inverse_rollout(setting)

    @classmethod
    def needs_heads(cls, config: LatentSearchConfig) -> tuple[str, ...]:
        """Returns those of the cost, and the one that looks start from."""
        warm = () if config.warm_start is None else (config.warm_start,)
        return (*COSTS.get(config.cost["name"]).heads, *warm)

    @classmethod
    def is_privileged(cls, config: LatentSearchConfig) -> bool:
        """Returns whether its cost is, or one of its heads."""
        return COSTS.get(config.cost["name"]).privileged or super().is_privileged(config)

    @property
    def plan_steps(self) -> int:
        """Returns H·K, in action blocks of the model's frameskip."""
        return int(self.config.horizon * self.model.config.frameskip)

    @abstractmethod
    def search(self, task: SearchTask) -> Found:
        """Returns the plans that are found; the same for a problem alone and beside others."""

    def plan(self, situation: Situation) -> Plan:
        """Returns plans of H·K steps, or of the steps left, and the latents imagined after each action block.

        Raises:
            InputError: the model makes latents that are not finite of the frames or of the plan.
        """
        groups = self.config.groups(len(situation.seeds), self.candidates_at_once())
        # Autograd takes no tensor of inference mode; without a gradient to follow that mode is the faster one.
        with torch.inference_mode(not self.differentiates), torch.no_grad():
            return Plan.joined([self._plan_group(situation.part(group)) for group in groups])

    def candidates_at_once(self) -> int:
        """Returns the most candidates that are rolled out together.

        Raises:
            InputError: not even one fits the memory.
        """
        if self.config.memory_mb is None:
            return int(self.config.candidates_at_once)
        fitting = int(self.config.memory_mb * 1e6 / self.bytes_a_candidate)
        if not fitting:
            raise InputError(
                f"memory_mb {self.config.memory_mb} holds no candidate, whose rollout takes "
                f"{self.bytes_a_candidate / 1e6:.1f} MB; raise it, or lower horizon"
            )
        return fitting

    @cached_property
    def bytes_a_candidate(self) -> int:
        """Returns by how many bytes each further candidate raises the peak of a rollout with its cost."""
        sizes = self.model.config

        def judged(count: int) -> int:
            # Each of a problem of its own: candidates that share a context take no more.
            z_PTD = torch.zeros(count, self.history, sizes.latent_size, device=self.device)
            past_action_PTKA = z_PTD.new_zeros(count, self.history - 1, sizes.frameskip, sizes.action_size)
            imagination = Imagination(self.model, self.plan_cost, z_PTD, past_action_PTKA, z_PTD[:, 0], None, count)
            shape = (count, 1, self.config.horizon, sizes.frameskip, sizes.action_size)
            with self._reduced_precision(), torch.set_grad_enabled(self.differentiates):
                return peak_bytes(
                    lambda: imagination.cost_at_once(z_PTD.new_zeros(shape, requires_grad=self.differentiates))
                )

        # What does not grow with the candidates, such as weights in half precision, cancels out.
        return max(1, judged(3) - judged(2))

    def _reduced_precision(self) -> torch.autocast:
        """Returns the context in which candidates are ranked; what is encoded and reported is not made in it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.reduced)

    def _plan_group(self, situation: Situation) -> Plan:
        started = time.perf_counter()
        imagination = self._imagination(situation)
        with self._reduced_precision():
            found = self.search(self._task(situation, imagination))
        imagined_PHD = imagination.imagine(found.action_PHKA[:, None])[:, 0]
        _check_finite("imagines of its plan", imagined_PHD)
        action_PLA, latent_PHD = found.action_PHKA.flatten(1, 2).cpu().numpy(), imagined_PHD.float().cpu().numpy()
        elite_PELA = None if found.elite_PEHKA is None else found.elite_PEHKA.flatten(2, 3).cpu().numpy()
        seconds = (time.perf_counter() - started) / len(action_PLA)
        return Plan(action_PLA, np.full(len(action_PLA), seconds), latent_PHD, elite_PELA=elite_PELA)

    def _imagination(self, situation: Situation) -> Imagination:
        """Returns the problems as the model sees them."""
        z_PTD = self.model.encode(self._tensor(situation.pixels_PTHWC[:, -self.history :]))
        goal_PD = self.model.encode(self._tensor(situation.goal_pixels_PHWC[:, None]))[:, 0]
        _check_finite("makes of the present frame", z_PTD)
        _check_finite("makes of the goal's frame", goal_PD)
        past = z_PTD.shape[1] - 1
        past_action_PTKA = situation.past_action_PTKA[:, situation.past_action_PTKA.shape[1] - past :]
        at_once = self.candidates_at_once()
        return Imagination(
            self.model, self.plan_cost, z_PTD, self._tensor(past_action_PTKA), goal_PD, situation.steps_left, at_once
        )

    def _task(self, situation: Situation, imagination: Imagination) -> SearchTask:
        """Returns what is searched: plans no longer than the steps left, from what the look before left over."""
        sizes = self.model.config
        horizon = self.config.within(situation.steps_left, sizes.frameskip).horizon
        shape = (horizon, sizes.frameskip, sizes.action_size)
        first_PHKA, kept_PEHKA = None, None
        left = situation.previous_plan
        if self.config.keep_plan and left is not None:
            first_PHKA = self._kept(left.action_PLA, shape)
            kept_PEHKA = None if left.elite_PELA is None else self._kept(left.elite_PELA, shape)
        if self.first_guess is not None:
            steps_left = horizon * sizes.frameskip if situation.steps_left is None else situation.steps_left
            seen = imagination.z_PTD, imagination.past_action_PTKA, imagination.goal_PD
            first_PHKA = self.space.unit(self.first_guess.plan(*seen, steps_left, horizon)[0])
        at_once = imagination.at_once
        return SearchTask(imagination.cost, self.space, situation.seeds, shape, at_once, first_PHKA, kept_PEHKA)

    def _kept(self, action: Actions, shape: tuple[int, int, int]) -> Tensor:
        """Returns actions (…, L, A) of an earlier look as sequences of a shape, in the search's units.

        What is missing at the end is the centre of the action space, where a search without a past starts, too.
        """
        unit = self.space.unit(self._tensor(action))[..., : shape[0] * shape[1], :]
        missing = shape[0] * shape[1] - unit.shape[-2]
        padded: Tensor = torch.nn.functional.pad(unit, (0, 0, 0, missing)).unflatten(-2, shape[:2])
        return padded

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


def _check_finite(what: str, latent: Tensor) -> None:
    """Raises InputError where a model's latents are not finite."""
    if not latent.isfinite().all():
        raise InputError(
            f"the latents that the model {what} are not finite, so that nothing can be planned with it; choose another "
            "checkpoint, or train it again with a smaller learning rate"
        )


def multiplies_bf16(device: torch.device) -> bool:
    """Returns whether the device has instructions for bfloat16 products; emulating them is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
