"""Planning: how often, and how nearly, a model's plans reach goals in the true world, beside an oracle and chance.

A problem is a row of a held-out episode and the row `ahead` steps later. Success is the world's own test at any step of
the budget. Regret is paired: what the planner lost against the oracle on the very same problem. `planned_path` is where
the first action plan was believed to lead: simulated for the oracle, for a planner with a model its imagined latents,
read by an MLP probe of the world's `path_quantity`.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import EpisodeSource, State
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, Row, metric_row, present_splits
from jepa.evaluation.kinds.planning.config import PlanningConfig, heads_of_planners
from jepa.evaluation.kinds.planning.problems import Selection, draw, has_problem, require_drawn, with_frames
from jepa.evaluation.kinds.planning.report import EPISODES, HEADLINES, SECTION
from jepa.evaluation.kinds.probing.evaluation import fit_position_probe
from jepa.evaluation.kinds.probing.probes import Probe
from jepa.evaluation.png import encode_png
from jepa.evaluation.statistics import bootstrap_mean, wilson
from jepa.models.world_model import WorldModel
from jepa.planning.execution import Execution, execute
from jepa.planning.heads.head import Head
from jepa.planning.planner import Planner, PlanningSetting, Problem, make_planner
from jepa.planning.problem_manifest import ProblemManifest
from jepa.worlds.recordings import require_simulator
from jepa.worlds.world import WORLDS, WorldSpec, make_world


@EVALUATIONS.register("planning")
class PlanningEvaluation(Evaluation):
    """A unit is a split and a goal kind: all planners solve its problems there, so that regret is at hand."""

    kind = "planning"
    Config = PlanningConfig
    version = 2
    tables = (EPISODES,)
    headlines = HEADLINES
    section = SECTION
    needs_simulator = True
    solves_problems = True

    def __init__(self, config: PlanningConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol
        self._problems: ProblemManifest | None = None
        self.heads: Mapping[str, Head] = {}

    def draw_problems(self, source: EpisodeSource, seed: int) -> ProblemManifest:
        """Returns the problems of all units.

        Raises:
            InputError: the test split has none at all, or the recorded states cannot be simulated.
        """
        require_simulator(source, self.kind)
        groups = [(kind, self.config.ahead) for kind in WORLDS.get(source.world).world_spec.goal_kind_names]
        found = [draw(source, split, groups, self._selection(seed)) for split in present_splits(source)]
        problems = tuple(one for drawn, _ in found for one in drawn)
        if not problems:
            raise self._too_short()
        size = max(image_size for _, image_size in found)
        return ProblemManifest(source.world, size, derive_seed(seed, "planning"), problems)

    def use_problems(self, problems: ProblemManifest) -> None:
        """Takes the problems to be solved."""
        self._problems = problems

    def needs_heads(self) -> tuple[str, ...]:
        """Returns the kinds of heads that its planners ask for."""
        return heads_of_planners(self.config.planners)

    def use_heads(self, heads: Mapping[str, Head]) -> None:
        """Takes the heads that its planners plan with."""
        self.heads = heads

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns `<split>/<goal kind>` for each pair that has problems.

        Raises:
            InputError: the test split has none at all, or the recorded states cannot be simulated.
        """
        require_simulator(source, self.kind)
        if self._problems is not None:
            return [f"{split}/{kind}" for split, kind, _ in self._problems.groups]
        config, kinds = self.config, WORLDS.get(source.world).world_spec.goal_kind_names
        pairs = [(split, kind) for split in present_splits(source) for kind in kinds]
        units = [f"{s}/{k}" for s, k in pairs if has_problem(source, s, k, config.problems, config.ahead)]
        if not units:
            raise self._too_short()
        return units

    def _too_short(self) -> InputError:
        return InputError(
            f"dataset has no test episode of {self.config.ahead} steps or more, which planning needs; "
            "collect more or longer episodes"
        )

    def _selection(self, seed: int) -> Selection:
        return Selection(self.config.problems, derive_seed(seed, "planning"))

    def _of_unit(self, unit: str, source: EpisodeSource, seed: int) -> list[Problem]:
        """Returns the problems of a unit: those that were given, or else drawn here."""
        split, goal_kind = unit.split("/")
        ahead = self.config.ahead
        if self._problems is None:
            drawn, _ = draw(source, split, [(goal_kind, ahead)], self._selection(seed))
        else:
            drawn = self._problems.groups.get((split, goal_kind, ahead), [])
        require_drawn(drawn, split, goal_kind, ahead)
        return with_frames(drawn, source)

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns, for each planner, `success_rate`, `final_distance`, `regret` in both, `plan_seconds`.

        Raises:
            InputError: there are no such problems, or the configured plans do not fit the model's frameskip.
        """
        split, goal_kind = unit.split("/")
        spec = WORLDS.get(source.world).world_spec
        problems = self._of_unit(unit, source, seed)
        executions, seconds = self._solve(problems, model, source)
        imagined = self._imagined_paths(executions, spec, model, source, seed)
        common = {"evaluation": self.kind, "protocol": self.protocol, "split": split, "goal": goal_kind, "seed": seed}
        result = EvaluationResult(tables={"episodes": []})
        for name, runs in executions.items():
            labels, oracle = {**common, "planner": name}, executions["oracle"]
            result.metrics += planner_metrics(runs, oracle, spec.distance_unit, {**labels, "seconds": seconds[name]})
            result.tables["episodes"] += self._rows(problems, runs, oracle, imagined[name], spec, labels)
            with_model = [run for run in runs if run.imagined_latent is not None]
            result.plan_seconds += [seconds for run in with_model for seconds in run.plan_seconds]
        return result

    def _solve(
        self, problems: Sequence[Problem], model: WorldModel, source: EpisodeSource
    ) -> tuple[dict[str, list[Execution]], dict[str, float]]:
        """Returns what each planner achieves on each problem, and the seconds it took for all of them.

        Raises:
            InputError: a plan is shorter than what is to be carried out of it.
        """
        config, frameskip = self.config, model.config.frameskip
        executions: dict[str, list[Execution]] = {}
        seconds: dict[str, float] = {}
        setting = PlanningSetting(model, source.world, source.world_options, self.heads)
        with ExitStack() as opened:
            planners = {label: opened.enter_context(closing(planner)) for label, planner in self._planners(setting)}
            for label, planner in planners.items():
                _check_length(label, planner.plan_steps, config.replan_every, frameskip)
            world = opened.enter_context(closing(make_world(source.world, len(problems), **source.world_options)))
            for label, planner in planners.items():
                started = time.perf_counter()
                executions[label] = execute(planner, world, problems, config.budget, config.replan_every, frameskip)
                seconds[label] = time.perf_counter() - started
        return executions, seconds

    def _planners(self, setting: PlanningSetting) -> Iterator[tuple[str, Planner]]:
        """Yields each label with its planner."""
        for label, given in self.config.planners.items():
            options = dict(given)
            yield label, make_planner(options.pop("planner"), options, setting)

    def _imagined_paths(
        self,
        executions: Mapping[str, Sequence[Execution]],
        spec: WorldSpec,
        model: WorldModel,
        source: EpisodeSource,
        seed: int,
    ) -> dict[str, list[NDArray[np.float32] | None]]:
        """Returns where each planner believed that its first plan would lead; None where it believes nothing."""
        quantity = spec.path_quantity
        probe: Probe | None = None
        if quantity is not None:
            config = self.config
            probe = fit_position_probe(model, source, quantity, config.position_frames, config.position_probe, seed)
        return {
            name: [None if quantity is None else _imagined_path(run, quantity, probe) for run in runs]
            for name, runs in executions.items()
        }

    def _rows(
        self,
        problems: Sequence[Problem],
        runs: Sequence[Execution],
        oracle: Sequence[Execution],
        imagined: Sequence[NDArray[np.float32] | None],
        spec: WorldSpec,
        common: Row,
    ) -> list[Row]:
        rows = []
        for problem, run, best, believed in zip(problems, runs, oracle, imagined, strict=True):
            labels = {name: value for name, value in common.items() if name != "evaluation"}
            outcome = {
                "problem": problem.number,
                "episode": problem.episode,
                "start_row": problem.start_row,
                "success": run.success,
                "final_distance": run.final_distance,
                "oracle_final_distance": best.final_distance,
                "plan_seconds": float(np.mean(run.plan_seconds)),
                "unit": spec.distance_unit,
                "start_state": _json_state(problem.start, spec),
                "goal_state": _json_state(problem.goal, spec),
            }
            rows.append({**labels, **outcome, **self._drawing(problem, run, believed, spec)})
        return rows

    def _drawing(
        self, problem: Problem, run: Execution, believed: NDArray[np.float32] | None, spec: WorldSpec
    ) -> dict[str, Any]:
        """Returns what a report draws: paths where the world names a plane, frames of first problems and failures."""
        drawing: dict[str, Any] = {}
        if spec.path_quantity is not None:
            drawing["path"] = run.path[spec.path_quantity][:, :2].tolist()
            drawing["planned_path"] = None if believed is None else believed[:, :2].tolist()
            drawing["goal_point"] = problem.goal[spec.path_quantity][:2].tolist()
            drawing["frame_extent"] = None if spec.frame_extent is None else list(spec.frame_extent)
        failed_with_a_model = run.imagined_latent is not None and not run.success
        if problem.number < self.config.frames_shown or failed_with_a_model:
            drawing["start_frame"] = encode_png(problem.start_pixels)
            drawing["goal_frame"] = encode_png(problem.goal_pixels)
        return drawing


def _check_length(label: str, plan_steps: int, replan_every: int, frameskip: int) -> None:
    """Raises InputError where a plan is shorter than what is to be carried out of it."""
    if replan_every > plan_steps or replan_every % frameskip:
        raise InputError(
            f"replan_every {replan_every} must be a multiple of the model's frameskip ({frameskip}) and at most the "
            f"{plan_steps} steps of a plan by {label!r}; change replan_every or the length of that planner's plans"
        )


def planner_metrics(
    runs: Sequence[Execution], oracle: Sequence[Execution], distance_unit: str, labels: Mapping[str, Any]
) -> list[Row]:
    """Returns the figures of one planner on a set of problems; `labels` are its rows' own columns, with `seed`.

    Regret in `success` is the oracle's less the planner's success rate, in `final_distance` the planner's less the
    oracle's distance: both are 0 for the oracle itself, and positive where the planner does worse.
    """
    seed = derive_seed(labels["seed"], "planning intervals")
    success, best_success = (np.array([run.success for run in group], dtype=float) for group in (runs, oracle))
    distance, best_distance = (np.array([run.final_distance for run in group]) for group in (runs, oracle))
    seconds = np.array([np.mean(run.plan_seconds) for run in runs])
    lost = {"success": (best_success - success, "1"), "final_distance": (distance - best_distance, distance_unit)}
    return [
        metric_row(wilson(int(success.sum()), len(runs)), metric="success_rate", unit="1", **labels),
        metric_row(bootstrap_mean(distance, seed), metric="final_distance", unit=distance_unit, **labels),
        *(
            metric_row(bootstrap_mean(values, seed), metric="regret", quantity=quantity, unit=unit, **labels)
            for quantity, (values, unit) in lost.items()
        ),
        metric_row(bootstrap_mean(seconds, seed), metric="plan_seconds", unit="s", **labels),
    ]


def _imagined_path(run: Execution, quantity: str, probe: Probe | None) -> NDArray[np.float32] | None:
    if run.imagined_state is not None:
        return run.imagined_state[quantity]
    if run.imagined_latent is None or probe is None:
        return None
    path: NDArray[np.float32] = np.concatenate([run.path[quantity][:1], probe.predict(run.imagined_latent)])
    return path


def _json_state(state: State, spec: WorldSpec) -> str:
    recorded = {name: value for name, value in state.items() if name in spec.recorded}
    return json.dumps({name: [round(float(number), 6) for number in value] for name, value in recorded.items()})
