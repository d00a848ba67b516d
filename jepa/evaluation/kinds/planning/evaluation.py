"""Planning: how often, and how nearly, a model's plans reach goals in the true world, beside an oracle and chance.

A problem is a row of a held-out episode and the row `offset` steps later, or a row of another episode. Success is the
world's usual test at any step of the budget, or a stricter one that the world declares. Regret is paired: what the
planner lost against the oracle on the very same problem. `planned_path` is where
the first action plan was believed to lead: simulated for the oracle, for a planner with a model its imagined latents,
read by an MLP probe of the world's `path_quantity`. Its last digits may depend on how many problems a planner imagines
in one batch.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import EpisodeSource, State
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import EVALUATIONS, DivisibleEvaluation, EvaluationResult, Row, present_splits
from jepa.evaluation.kinds.planning.config import (
    PlanningConfig,
    heads_of_planners,
    opened_planners,
    privileged_planners,
)
from jepa.evaluation.kinds.planning.figures import Outcomes, planner_metrics
from jepa.evaluation.kinds.planning.films import film_rows, filmed_planner, pooled_films
from jepa.evaluation.kinds.planning.problems import draw, has_problem, require_drawn, require_offsets, with_frames
from jepa.evaluation.kinds.planning.report import EPISODES, FILMS, HEADLINES, SECTION, TABLES
from jepa.evaluation.kinds.planning.selection import Selection
from jepa.evaluation.kinds.planning.stitched import known_steps
from jepa.evaluation.kinds.probing.evaluation import fit_position_probe
from jepa.evaluation.kinds.probing.probes import Probe
from jepa.evaluation.png import encode_png
from jepa.models.world_model import WorldModel
from jepa.planning.execution import Execution, execute
from jepa.planning.heads.head import Head
from jepa.planning.planner import Planner, PlanningSetting, Problem
from jepa.planning.problem_manifest import DrawnProblem, ProblemManifest
from jepa.worlds.recordings import require_simulator
from jepa.worlds.registry import WORLDS
from jepa.worlds.stitching import require_stitching
from jepa.worlds.world import WorldSpec, make_world


@EVALUATIONS.register("planning")
class PlanningEvaluation(DivisibleEvaluation):
    """A unit is a split, a goal kind and an offset: its items are problems, each solved by all planners."""

    kind = "planning"
    Config = PlanningConfig
    version = 3
    tables = TABLES
    headlines = HEADLINES
    section = SECTION
    needs_simulator = True
    solves_problems = True

    def __init__(self, config: PlanningConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol
        self._problems: ProblemManifest | None = None
        self._probe: tuple[WorldModel, EpisodeSource, int, Probe] | None = None
        self.heads: Mapping[str, Head] = {}

    def draw_problems(self, source: EpisodeSource, seed: int) -> ProblemManifest:
        """Returns the problems of all units.

        Raises:
            InputError: there are none at one of the offsets, the world lacks a goal kind or the success kind, or the
                recorded states cannot be simulated.
        """
        self._require_world(source)
        groups, selection = self._groups(source.world), self._selection(source.world, seed)
        found = [draw(source, split, groups, selection) for split in present_splits(source)]
        problems = tuple(one for drawn in found for one in drawn.problems)
        require_offsets(self.config, self.protocol, {one.offset for one in problems}, found)
        size = max(drawn.image_size for drawn in found)
        return ProblemManifest(source.world, size, selection.seed, problems)

    def use_problems(self, problems: ProblemManifest) -> None:
        """Takes the problems to be solved.

        Raises:
            InputError: their starts and goals are paired in another way than the protocol says.
        """
        held = "stitched" if problems.stitched else "episode"
        if problems.problems and held != self.config.pairs:
            raise InputError(
                f"problems {problems.digest[:8]} have `pairs: {held}` and protocol {self.protocol!r} says "
                f"{self.config.pairs!r}; choose a protocol that fits them"
            )
        self._problems = problems

    def needs_heads(self) -> tuple[str, ...]:
        """Returns the kinds of heads that its planners ask for."""
        return heads_of_planners(self.config.planners)

    def farthest_goal(self) -> int:
        """Returns how many environment steps its farthest goal is ahead."""
        return max(self.config.offsets)

    def use_heads(self, heads: Mapping[str, Head]) -> None:
        """Takes the heads that its planners plan with."""
        self.heads = heads

    def check(self, model: WorldModel, source: EpisodeSource) -> None:
        """Passes where every planner can be made and plans as far as is carried out; see `Evaluation.check`."""
        with ExitStack() as opened:
            self._opened(opened, model, source)

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns `<split>/<goal kind>`, where there are several offsets `<split>/<goal kind>/<offset>`.

        Raises:
            InputError: there are none at one of the offsets, the world lacks a goal kind or the success kind, or the
                recorded states cannot be simulated.
        """
        self._require_world(source)
        if self._problems is not None:
            WORLDS.get(source.world).world_spec.success_kind(self.config.success_kind)
            return [self._unit(*group) for group in self._problems.groups]
        held = [unit for split in present_splits(source) for unit in self.units_of(source, split)]
        require_offsets(self.config, self.protocol, {self._parts(unit)[2] for unit in held})
        return held

    def units_of(self, source: EpisodeSource, split: str) -> list[str]:
        """Returns the units of one split that have problems."""
        # Within episodes, which rows make a problem does not depend on the seed.
        wanted, groups = self._selection(source.world, seed=0), self._groups(source.world)
        return [self._unit(split, k, offset) for k, offset in groups if has_problem(source, split, k, offset, wanted)]

    def _require_world(self, source: EpisodeSource) -> None:
        """Raises InputError where the world cannot simulate the recorded states, or not pair them as is asked for."""
        require_simulator(source, self.kind)
        if self.config.pairs == "stitched":
            require_stitching(WORLDS.get(source.world).world_spec)

    def _unit(self, split: str, goal_kind: str, offset: int) -> str:
        """Returns a unit's name, with the offset where it does not follow from the settings."""
        return f"{split}/{goal_kind}" + ("" if self.config.offsets == (offset,) else f"/{offset}")

    def _parts(self, unit: str) -> tuple[str, str, int]:
        """Returns split, goal kind and offset of a unit."""
        split, goal_kind, *offset = unit.split("/")
        return split, goal_kind, int(offset[0]) if offset else self.config.offsets[0]

    def _groups(self, world: str) -> list[tuple[str, int]]:
        """Returns goal kinds with offsets: those of the settings, else of the success kind, else of the world."""
        spec, config = WORLDS.get(world).world_spec, self.config
        kinds = config.goal_kinds or spec.success_kind(config.success_kind).goal_kinds or spec.goal_kind_names
        if unknown := [kind for kind in kinds if kind not in spec.goal_kind_names]:
            raise InputError(
                f"goal_kinds of protocol {self.protocol!r} has {unknown[0]!r}, which world {world!r} lacks; choose of: "
                f"{', '.join(spec.goal_kind_names)}"
            )
        return [(kind, offset) for offset in config.offsets for kind in kinds]

    def _selection(self, world: str, seed: int) -> Selection:
        config = self.config
        kind = WORLDS.get(world).world_spec.success_kind(config.success_kind)
        drops_solved = kind.drops_solved or config.pairs == "stitched"
        return Selection(
            config.problems,
            derive_seed(seed, "planning"),
            config.one_pair_an_episode,
            drops_solved if config.remove_solved is None else config.remove_solved,
            kind.name,
            kind.legal_route,
            config.pairs,
        )

    def _drawn(self, unit: str, source: EpisodeSource, seed: int) -> Sequence[DrawnProblem]:
        """Returns the problems of a unit: those that were given, or else drawn here."""
        split, goal_kind, offset = self._parts(unit)
        if self._problems is None:
            drawn = draw(source, split, [(goal_kind, offset)], self._selection(source.world, seed)).problems
        else:
            drawn = self._problems.groups.get((split, goal_kind, offset), [])
        require_drawn(drawn, split, goal_kind, offset)
        return drawn

    def items(self, unit: str, source: EpisodeSource, seed: int) -> int:
        """Returns the number of a unit's problems; raises as `run_items` does."""
        return len(self._drawn(unit, source, seed))

    def run_items(
        self, unit: str, items: range | None, model: WorldModel, source: EpisodeSource, seed: int
    ) -> EvaluationResult:
        """Returns the row of each problem, planner and random stream, and frames of a few problems.

        Raises:
            InputError: there are no such problems, or the configured plans do not fit the model's frameskip.
        """
        split, goal_kind, offset = self._parts(unit)
        spec, config = WORLDS.get(source.world).world_spec, self.config
        drawn = self._drawn(unit, source, seed)
        problems = with_frames(drawn if items is None else drawn[items.start : items.stop], source)
        speed = source.world_options.get("speed")
        known_P = known_steps(WORLDS.get(source.world), problems, offset, None if speed is None else float(str(speed)))
        executions, seconds = self._solve(problems, model, source, config.budget_of(offset))
        imagined = self._imagined_paths(
            {label: runs[0] for label, runs in executions.items()}, spec, model, source, seed
        )
        common = {"protocol": self.protocol, "split": split, "goal": goal_kind, "seed": seed}
        common |= {"offset": offset, "success_kind": config.success_kind}
        result = EvaluationResult(tables={EPISODES.name: []}, seconds=seconds)
        privileged = privileged_planners(config.planners)
        for label, streams in executions.items():
            for stream, runs in enumerate(streams):
                labels = {**common, "planner": label, "privileged": privileged[label], "stream": stream}
                # What a plan was expected to lead to is drawn of the first stream alone.
                believed = imagined[label] if stream == 0 else [None] * len(runs)
                result.tables[EPISODES.name] += self._rows(
                    problems, runs, executions["oracle"][stream], believed, spec, labels, known_P
                )
                with_model = [run for run in runs if run.imagined_latent is not None]
                result.plan_seconds += [seconds for run in with_model for seconds in run.plan_seconds]
        filmed = filmed_planner(config.planners)
        if filmed is not None and config.frames_shown:
            labels = {name: value for name, value in common.items() if name != "success_kind"} | {"planner": filmed}
            result.tables[FILMS.name] = film_rows(problems, executions[filmed][0], imagined[filmed], source, labels)
        return result

    def pool(self, unit: str, found: EvaluationResult, seed: int) -> EvaluationResult:
        """Returns the rows of a unit; the figures of each planner are those of `planner_metrics`."""
        split, goal_kind, offset = self._parts(unit)
        rows = sorted(found.tables[EPISODES.name], key=lambda row: row["problem"])
        solved = {
            label: [
                [row for row in rows if (row["planner"], row["stream"]) == (label, stream)]
                for stream in range(self.config.planner_seeds)
            ]
            for label in self.config.planners
        }
        outcomes = {label: Outcomes.of(streams) for label, streams in solved.items()}
        ordered = [row for streams in solved.values() for own in streams for row in own]
        films = pooled_films(found.tables.get(FILMS.name, []))
        tables = {EPISODES.name: ordered} | ({FILMS.name: films} if films else {})
        result = EvaluationResult(tables=tables, plan_seconds=found.plan_seconds)
        common = {"evaluation": self.kind, "protocol": self.protocol, "split": split, "goal": goal_kind, "seed": seed}
        common |= {"offset": offset, "success_kind": self.config.success_kind}
        privileged = privileged_planners(self.config.planners)
        known = [np.inf if row["known_steps"] is None else row["known_steps"] for row in solved["oracle"][0]]
        for label in solved:
            columns = {**common, "privileged": privileged[label], "seconds": found.seconds[label]}
            result.metrics += planner_metrics(
                label, outcomes, np.array(known, dtype=np.float64), rows[0]["unit"], columns
            )
        return result

    def _solve(
        self, problems: Sequence[Problem], model: WorldModel, source: EpisodeSource, budget: int
    ) -> tuple[dict[str, list[list[Execution]]], dict[str, float]]:
        """Returns what each planner achieves by random stream and problem, and the seconds it took for all of them.

        Raises:
            InputError: a plan is shorter than what is to be carried out of it.
        """
        config, frameskip = self.config, model.config.frameskip
        executions: dict[str, list[list[Execution]]] = {}
        seconds: dict[str, float] = {}
        with ExitStack() as opened:
            planners = self._opened(opened, model, source)
            world = opened.enter_context(closing(make_world(source.world, len(problems), **source.world_options)))
            for label, planner in planners.items():
                started = time.perf_counter()
                executions[label] = [
                    execute(planner, world, own, budget, config.replan_of(label), frameskip, config.success_kind)
                    for own in _streams(problems, config.planner_seeds)
                ]
                seconds[label] = time.perf_counter() - started
        return executions, seconds

    def _opened(self, opened: ExitStack, model: WorldModel, source: EpisodeSource) -> dict[str, Planner]:
        """Returns the planners by label, which are closed at the end of the context.

        Raises:
            InputError: one of them does not fit the model, its heads or the world, or plans too short.
        """
        setting = PlanningSetting(model, source.world, source.world_options, self.heads)
        planners = opened_planners(opened, self.config.planners, setting)
        for label, planner in planners.items():
            _check_length(label, planner.plan_steps, self.config.replan_of(label), model.config.frameskip)
        return planners

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
        probe = None if quantity is None else self._position_probe(model, source, quantity, seed)
        return {
            name: [None if quantity is None else _imagined_path(run, quantity, probe) for run in runs]
            for name, runs in executions.items()
        }

    def _position_probe(self, model: WorldModel, source: EpisodeSource, quantity: str, seed: int) -> Probe:
        """Returns the probe that draws imagined plans, fitted once for all units of a model and a source."""
        held = self._probe
        if held is None or held[0] is not model or held[1] is not source or held[2] != seed:
            config = self.config
            probe = fit_position_probe(model, source, quantity, config.position_frames, config.position_probe, seed)
            held = self._probe = (model, source, seed, probe)
        return held[3]

    def _rows(
        self,
        problems: Sequence[Problem],
        runs: Sequence[Execution],
        oracle: Sequence[Execution],
        imagined: Sequence[NDArray[np.float32] | None],
        spec: WorldSpec,
        common: Row,
        known_P: NDArray[np.float64],
    ) -> list[Row]:
        rows = []
        for problem, run, best, believed, known in zip(problems, runs, oracle, imagined, known_P, strict=True):
            labels = {name: value for name, value in common.items() if name != "evaluation"}
            outcome = {
                "problem": problem.number,
                "episode": problem.episode,
                "start_row": problem.start_row,
                "goal_episode": problem.goal_episode,
                "goal_row": problem.goal_row,
                "known_steps": int(known) if np.isfinite(known) else None,
                "success": run.success,
                "steps_to_goal": run.steps_to_goal,
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


def _streams(problems: Sequence[Problem], streams: int) -> Iterator[list[Problem]]:
    """Yields the problems for each random stream of a planner, those of the first as they were drawn."""
    yield list(problems)
    for stream in range(1, streams):
        yield [replace(one, seed=derive_seed(one.seed, "stream", stream)) for one in problems]


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
