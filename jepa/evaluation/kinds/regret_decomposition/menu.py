"""The menu of a problem: the same action sequences for every planner and cost of a run.

Shapes: C candidates, H action blocks, K actions of an action block, L = H·K actions of a candidate, A dimensions of an
action, S action sequences that a planner rolled out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from jepa.core.episodes import Actions
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.evaluation.kinds.regret_decomposition.config import RegretDecompositionConfig
from jepa.models.world_model import WorldModel
from jepa.planning.planner import Planner, Problem, Situation
from jepa.worlds.world import WorldSpec


class WatchedModel(nn.Module):
    """The model under test for a planner, with the action sequences that it was last asked to imagine."""

    def __init__(self, model: WorldModel) -> None:
        super().__init__()
        self.model = model
        self.imagined: Actions | None = None
        """of the last rollout of more than one sequence, (S, H, K, A)"""

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        """Returns what the model imagines."""
        if len(action_BHKA) > 1:
            self.imagined = action_BHKA.detach().float().cpu().numpy().copy()
        return self.model.rollout(z_BTD, action_BHKA, past_action_BTKA)

    def __getattr__(self, name: str) -> Any:
        # All else is the model's own: its configuration, its encoder, and what a planner of another package looks at.
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("model"), name)

    def as_model(self) -> WorldModel:
        """Returns itself, for what takes a model."""
        return cast(WorldModel, self)


@dataclass(frozen=True)
class Search:
    """What a planner answered to a problem, and the sequences (S, L, A) of its last iteration, where it has any."""

    plan_LA: Actions
    considered_SLA: Actions


@dataclass(frozen=True)
class Menu:
    """Candidates (C, L, A), where each comes from, and which of them is each planner's plan."""

    action_CLA: Actions
    origins: tuple[str, ...]
    plan_of: Mapping[str, int]

    @property
    def ranked_C(self) -> NDArray[np.bool_]:
        """Returns which candidates are ranked: all but the demonstration."""
        return np.array([origin != "demonstration" for origin in self.origins])


def search(planner: Planner, watched: WatchedModel, problem: Problem, demonstration_LA: Actions, ahead: int) -> Search:
    """Returns the plan for a problem's first look, as long as the demonstration, and what was considered last.

    Args:
        planner: built on the watched model.
        watched: the model.
        problem: planned alone; a plan does not depend on the problems beside it.
        demonstration_LA: what was recorded, for planners that are references.
        ahead: environment steps in which the goal should be reached.
    """
    config, steps = watched.config, len(demonstration_LA)
    situation = Situation(
        pixels_PTHWC=problem.start_pixels[None, None],
        past_action_PTKA=np.zeros((1, 0, config.frameskip, config.action_size), dtype=np.float32),
        state={name: value[None] for name, value in problem.start.items()},
        goal_pixels_PHWC=problem.goal_pixels[None],
        goal_state={name: value[None] for name, value in problem.goal.items()},
        goal_kind=problem.goal_kind,
        seeds=[derive_seed(problem.seed, "menu plan")],
        steps_left=ahead,
        demonstration_PLA=demonstration_LA[None],
    )
    watched.imagined = None
    plan_LA = planner.plan(situation).action_PLA[0, :steps]
    considered = watched.imagined
    if considered is None or considered.shape[1] * considered.shape[2] < steps:
        return Search(plan_LA, np.zeros((0, *plan_LA.shape), dtype=np.float32))
    return Search(plan_LA, considered.reshape(len(considered), -1, considered.shape[-1])[:, :steps])


def draw_menu(
    problem: Problem,
    demonstration_LA: Actions,
    searches: Mapping[str, Search],
    spec: WorldSpec,
    config: RegretDecompositionConfig,
    frameskip: int,
) -> Menu:
    """Returns the menu of a problem, drawn from its own seed, as the world would carry it out."""
    rng = numpy_generator(problem.seed, "menu")
    parts: list[tuple[str, Actions]] = []
    plan_of: dict[str, int] = {}
    counts = _shares(config.from_planners, len(searches))
    for (label, found), count in zip(searches.items(), counts, strict=True):
        plan_of[label] = sum(len(actions) for _, actions in parts)
        parts.append(("plan", found.plan_LA[None]))
        picked = rng.permutation(len(found.considered_SLA))[: count - 1]
        parts.append(("last_iteration", found.considered_SLA[picked]))
        # A planner that draws no candidates of its own has neighbours of its plan in their place.
        parts.append(("near_plan", _perturbed(found.plan_LA, count - 1 - len(picked), spec, config, frameskip, rng)))
    parts.append(("demonstration", demonstration_LA[None]))
    copies = config.from_demonstration - 1
    parts.append(("near_demonstration", _perturbed(demonstration_LA, copies, spec, config, frameskip, rng)))
    parts.append(("random", _random(config.random, demonstration_LA.shape[0], spec, frameskip, rng)))
    action_CLA = np.concatenate([actions for _, actions in parts]).astype(np.float32)
    action_CLA = action_CLA.clip(spec.action_low, spec.action_high)
    done = spec.carried_out(action_CLA.reshape(-1, spec.action_size)).reshape(action_CLA.shape)
    return Menu(done, tuple(origin for origin, actions in parts for _ in actions), plan_of)


def _shares(total: int, parts: int) -> Sequence[int]:
    return [total // parts + (part < total % parts) for part in range(parts)]


def _perturbed(
    action_LA: Actions,
    copies: int,
    spec: WorldSpec,
    config: RegretDecompositionConfig,
    frameskip: int,
    rng: np.random.Generator,
) -> Actions:
    """Returns copies (copies, L, A) with noise that is the same within an action block, so that it leads elsewhere."""
    steps, size = action_LA.shape
    scale_C = config.perturbation * np.arange(1, copies + 1) / max(copies, 1)
    noise_CHA = rng.standard_normal((copies, steps // frameskip, size)) * scale_C[:, None, None]
    half_range = (spec.action_high - spec.action_low) / 2
    return np.asarray(action_LA + half_range * noise_CHA.repeat(frameskip, axis=1), dtype=np.float32)


def _random(count: int, steps: int, spec: WorldSpec, frameskip: int, rng: np.random.Generator) -> Actions:
    shape = (count, steps // frameskip, spec.action_size)
    drawn = rng.uniform(spec.action_low, spec.action_high, shape).repeat(frameskip, axis=1)
    return np.asarray(drawn, dtype=np.float32)
