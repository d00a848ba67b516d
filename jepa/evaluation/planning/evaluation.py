"""Planning: how often, and how nearly, a model's plans reach goals in the true world, beside an oracle and chance.

Regret is paired: what the planner lost against the oracle on the very same problem.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeInt, PositiveInt

from jepa.core.config import Config
from jepa.core.episodes import EpisodeSource, State
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, Row, metric_row, present_splits
from jepa.evaluation.planning.problems import draw_problems, has_problem
from jepa.evaluation.png import encode_png
from jepa.evaluation.probing.evaluation import fit_position_probe
from jepa.evaluation.probing.probes import Probe, ProbeConfig
from jepa.evaluation.statistics import bootstrap_mean, wilson
from jepa.models.world_model import WorldModel
from jepa.planning.execution import Execution, execute
from jepa.planning.planner import PlanningSetting, Problem, make_planner
from jepa.planning.planners.cem import LatentCEMConfig
from jepa.planning.planners.oracle import OracleConfig
from jepa.planning.planners.random import RandomConfig
from jepa.worlds.world import WORLDS, WorldSpec, make_world


class PlanningConfig(Config):
    """Which problems, how long, and the sizes of the planners."""

    problems: PositiveInt = 100
    """problems for each split and kind of goal"""
    ahead: PositiveInt = 25
    """steps from the start to the goal in the recorded episode"""
    budget: PositiveInt = 50
    """environment steps in which the goal must be met"""
    replan_every: PositiveInt = 25
    """steps of a plan that are carried out before the next look"""
    cem: LatentCEMConfig = LatentCEMConfig()
    """the planner in the model's latent space"""
    oracle: OracleConfig = OracleConfig(iterations=30, chunk=4800)
    """the planner in the true world"""
    frames_shown: NonNegativeInt = 12
    """problems whose start and goal frames are kept for the report, beside those that the model fails"""
    position_frames: PositiveInt = 4000
    """training frames for the probe that draws imagined plans"""
    position_probe: ProbeConfig = ProbeConfig(steps=600)
    """that probe"""


@EVALUATIONS.register("planning")
class PlanningEvaluation(Evaluation):
    """A unit is a split and a kind of goal: all planners solve its problems there, so that regret is at hand."""

    kind = "planning"
    config_type = PlanningConfig

    def __init__(self, config: PlanningConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns `<split>/<kind of goal>` for each pair that has problems.

        Raises:
            InputError: the test split has none at all.
        """
        config, kinds = self.config, WORLDS.get(source.world).world_spec.goal_kinds
        pairs = [(split, kind) for split in present_splits(source) for kind in kinds]
        units = [f"{s}/{k}" for s, k in pairs if has_problem(source, s, k, config.problems, config.ahead)]
        if not units:
            raise InputError(
                f"dataset has no test episode of {config.ahead} steps or more, which planning needs; "
                "collect more or longer episodes"
            )
        return units

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns, for each planner, `success_rate`, `final_distance`, `regret` in both, `plan_seconds`.

        Raises:
            InputError: there are no such problems, or the configured plans do not fit the model's frameskip.
        """
        split, goal_kind = unit.split("/")
        spec = WORLDS.get(source.world).world_spec
        self._check(model.config.frameskip)
        draw_seed = derive_seed(seed, "planning")
        problems = draw_problems(source, split, goal_kind, self.config.problems, self.config.ahead, draw_seed)
        executions, seconds = self._solve(problems, model, source)
        imagined = self._imagined_paths(executions, spec, model, source, seed)
        common = {"evaluation": self.kind, "protocol": self.protocol, "split": split, "goal": goal_kind, "seed": seed}
        result = EvaluationResult(tables={"episodes": []})
        for name, runs in executions.items():
            labels, oracle = {**common, "planner": name}, executions["oracle"]
            result.metrics += planner_metrics(runs, oracle, spec.distance_unit, {**labels, "seconds": seconds[name]})
            result.tables["episodes"] += self._rows(problems, runs, oracle, imagined[name], spec, labels)
        return result

    def _solve(
        self, problems: Sequence[Problem], model: WorldModel, source: EpisodeSource
    ) -> tuple[dict[str, list[Execution]], dict[str, float]]:
        """Returns what each planner achieves on each problem, and the seconds it took for all of them."""
        config, setting = self.config, PlanningSetting(model, source.world, source.world_options)
        planners = {"oracle": config.oracle, "cem": config.cem, "random": RandomConfig(steps=config.replan_every)}
        executions: dict[str, list[Execution]] = {}
        seconds: dict[str, float] = {}
        world = make_world(source.world, len(problems), **source.world_options)
        try:
            for name, planner_config in planners.items():
                started = time.perf_counter()
                planner = make_planner(name, planner_config, setting)
                executions[name] = execute(
                    planner, world, problems, config.budget, config.replan_every, model.config.frameskip
                )
                seconds[name] = time.perf_counter() - started
        finally:
            world.close()
        return executions, seconds

    def _check(self, block: int) -> None:
        """Raises InputError where a plan is shorter than what is to be carried out of it."""
        config = self.config
        lengths = {"cem": config.cem.horizon * block, "oracle": config.oracle.horizon * config.oracle.block_actions}
        for name, length in lengths.items():
            if config.replan_every > length or config.replan_every % block:
                raise InputError(
                    f"replan_every {config.replan_every} must be a multiple of the model's frameskip ({block}) and "
                    f"at most the {length} steps of a plan by {name!r}; change replan_every or that planner's horizon"
                )

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
                "start_state": _json_state(problem.start),
                "goal_state": _json_state(problem.goal),
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
    return np.concatenate([run.path[quantity][:1], probe.predict(run.imagined_latent)])


def _json_state(state: State) -> str:
    return json.dumps({name: [round(float(number), 6) for number in value] for name, value in state.items()})
