"""Receding horizon: plan, act for a while in the true world, look again, plan again.

A plan's end is an appointment: the looks before it plan for the steps that are left, for one that planned for the full
horizon at each look would put off its arrival for ever. When the appointment is over and steps of the budget are left,
the next one is made.

Shapes: P problems, T context frames, K actions in an action block (the frameskip), A action dimensions, d dimensions of
a quantity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels, State
from jepa.core.seeds import derive_seed
from jepa.planning.planner import Plan, Planner, Problem, Situation
from jepa.worlds.success import USUAL, first_success
from jepa.worlds.world import World


def planning_horizons(budget: int, replan_every: int, plan_steps: int) -> list[int]:
    """Returns, for each look, the environment steps in which the goal should be reached.

    Args:
        budget: environment steps that may be taken.
        replan_every: environment steps from look to look, which every plan holds at least.
        plan_steps: environment steps of a full plan.
    """
    horizons, end = [], 0
    for step in range(0, budget, replan_every):
        if step >= end:
            end = step + plan_steps
        # The last look may have fewer steps than are carried out of a plan elsewhere.
        end = min(max(end, step + replan_every), budget)
        horizons.append(end - step)
    return horizons


@dataclass(frozen=True)
class Execution:
    """What came of one problem in N environment steps, the budget; `plan_seconds` has an entry for each action plan."""

    success: bool
    """Whether the success test was passed at the start or after any environment step."""
    final_distance: float
    path: State
    """States (N+1, d) that were passed."""
    plan_seconds: tuple[float, ...]
    imagined_latent: NDArray[np.float32] | None
    """Latents (H, D) that the first plan was expected to lead to, where the planner has a model."""
    imagined_state: State | None
    """States (L+1, d) that the first plan was expected to lead to, where the planner has the true world."""
    steps_to_goal: int | None = None
    """Environment steps after which success was reached, 0 where the start meets the goal; None where it never was."""


def stack_states(states: Sequence[Mapping[str, NDArray[np.float32]]]) -> State:
    """Returns states (d,) of P problems as one state (P, d)."""
    return {name: np.stack([state[name] for state in states]) for name in states[0]}


def execute(
    planner: Planner,
    world: World,
    problems: Sequence[Problem],
    budget: int,
    replan_every: int,
    frameskip: int,
    success_kind: str = USUAL,
) -> list[Execution]:
    """Returns what the planner achieves on each problem, all of them advancing side by side.

    Args:
        planner: plans at environment step 0 and then every `replan_every`.
        world: the true world, with as many copies as there are problems.
        problems: where to start and where to get.
        budget: environment steps that may be taken.
        replan_every: environment steps of an action plan that are carried out; a multiple of `frameskip`, at most the
            plan's length.
        frameskip: K, environment steps between two context frames of a model.
        success_kind: the world's test of success; see `SuccessKind`.

    Raises:
        InputError: the world has no such success kind.
        ValueError: the world has another number of copies, `replan_every` does not fit `frameskip`, or the problems are
            of several goal kinds.
    """
    if world.num_envs != len(problems):
        raise ValueError(f"the world must have {len(problems)} copies, one a problem, got {world.num_envs}")
    if replan_every % frameskip:
        raise ValueError(f"replan_every must be a multiple of the frameskip ({frameskip}), got {replan_every}")
    kinds = {problem.goal_kind for problem in problems}
    if len(kinds) != 1:
        raise ValueError(f"problems that are solved side by side must be of one goal kind, got {sorted(kinds)}")
    goal = stack_states([problem.goal for problem in problems])
    world.restore(stack_states([problem.start for problem in problems]))
    trace = _Trace(world, goal, kinds.pop(), success_kind, planner.history, frameskip)
    horizons = planning_horizons(budget, replan_every, planner.plan_steps)
    plans: list[Plan] = []
    for step in range(budget):
        if step % replan_every == 0:
            left = plans[-1].rest(replan_every) if plans else None
            plans.append(planner.plan(trace.situation(problems, step, horizons[len(plans)], left)))
        trace.advance(np.ascontiguousarray(plans[-1].action_PLA[:, step % replan_every]))
    steps_P = trace.steps_to_goal()
    return [_outcome(trace, plans, index, int(steps_P[index])) for index in range(len(problems))]


class _Trace:
    """The problems' common past: states, actions, and the frames that a planner with a history will ask for."""

    def __init__(
        self, world: World, goal: State, goal_kind: str, success_kind: str, history: int, frameskip: int
    ) -> None:
        self.world, self.goal, self.goal_kind = world, goal, goal_kind
        self.success_kind = world.world_spec.success_kind(success_kind)
        self.history, self.frameskip = history, frameskip
        self.states = [world.state()]
        self.actions: list[Actions] = []
        self.met = [world.meets(goal, goal_kind, success_kind).copy()]
        self.frames: dict[int, Pixels] = {}

    def advance(self, action_PA: Actions) -> None:
        if self.history > 1 and len(self.actions) % self.frameskip == 0:
            self._look(len(self.actions))
        # A model with a history sees what was done, not what was asked for.
        action_PA = self.world.world_spec.carried_out(action_PA)
        self.world.advance(action_PA)
        self.actions.append(action_PA)
        self.states.append(self.world.state())
        self.met.append(self.world.meets(self.goal, self.goal_kind, self.success_kind.name).copy())

    def steps_to_goal(self) -> NDArray[np.int64]:
        """Returns the environment steps after which each problem's success test was passed, (P,), -1 where never."""
        kind = self.success_kind
        legal = None
        if kind.legal_route:
            moves = zip(self.states, self.states[1:], strict=False)
            legal = np.stack([self.world.legal_moves(before, after) for before, after in moves])
        return first_success(np.stack(self.met), kind.held, legal)

    def situation(
        self, problems: Sequence[Problem], step: int, steps_left: int, previous_plan: Plan | None
    ) -> Situation:
        times = range(step % self.frameskip, step + 1, self.frameskip)[-self.history :]
        pixels_PTHWC = np.stack([self._look(time) for time in times], axis=1)
        action_size = self.world.world_spec.action_size
        past_LPA = np.array(self.actions[times[0] : step], dtype=np.float32)
        past_PLA = past_LPA.reshape(-1, len(problems), action_size).transpose(1, 0, 2)
        return Situation(
            pixels_PTHWC=pixels_PTHWC,
            past_action_PTKA=past_PLA.reshape(len(problems), len(times) - 1, self.frameskip, action_size),
            state=self.states[-1],
            goal_pixels_PHWC=np.stack([problem.goal_pixels for problem in problems]),
            goal_state=self.goal,
            goal_kind=self.goal_kind,
            seeds=[derive_seed(problem.seed, "plan", step) for problem in problems],
            steps_left=steps_left,
            previous_plan=previous_plan,
            demonstration_PLA=_recorded_from(problems, step, self.world.world_spec.idle_action),
        )

    def _look(self, time: int) -> Pixels:
        """Returns the frames at a past or the present step; only those of the present can still be rendered."""
        if time not in self.frames:
            self.frames[time] = self.world.render_pixels()
        return self.frames[time]


def _recorded_from(problems: Sequence[Problem], step: int, idle: float) -> Actions | None:
    """Returns what was recorded from a step on, shorter recordings followed by idle actions; None if any has none."""
    recorded = [problem.demonstration_LA[step:] for problem in problems if problem.demonstration_LA is not None]
    if len(recorded) < len(problems):
        return None
    longest = max(len(action_LA) for action_LA in recorded)
    padded = [np.pad(a_LA, ((0, longest - len(a_LA)), (0, 0)), constant_values=idle) for a_LA in recorded]
    return np.stack(padded).astype(np.float32)


def _outcome(trace: _Trace, plans: Sequence[Plan], index: int, steps_to_goal: int) -> Execution:
    first = plans[0]
    return Execution(
        success=steps_to_goal >= 0,
        final_distance=float(trace.world.distance(trace.goal, trace.goal_kind)[index]),
        path={name: np.stack([state[name][index] for state in trace.states]) for name in trace.states[0]},
        plan_seconds=tuple(float(plan.seconds_P[index]) for plan in plans),
        imagined_latent=None if first.latent_PHD is None else first.latent_PHD[index],
        imagined_state=None if first.state is None else {name: value[index] for name, value in first.state.items()},
        steps_to_goal=steps_to_goal if steps_to_goal >= 0 else None,
    )
