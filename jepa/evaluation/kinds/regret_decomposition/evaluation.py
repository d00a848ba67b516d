"""Regret decomposition: was a plan lost because the cost is wrong, the model, or the search?

For each problem there is a menu of candidates, the same for every planner: plans and last iterations of the planners,
the recorded demonstration and perturbed copies of it, random ones. Each is scored by (a) the true distance to the goal
after it was really carried out, (b) the cost of the latents that the model imagines, (c) the cost of the latents of the
frames that really result. Ranking by c instead of a asks whether the cost is right, by b instead of c whether the model
is, and the planner's own plan instead of the best by b whether the search is. In true distance the three parts sum to
the regret of the plan against the menu's best; those of model and search may be negative, for one error may undo
another. The demonstration itself is shown and not ranked: it ends in the goal's own frame, which every distance of
latents puts first, so that no cost would ever lose anything.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np

from jepa.core.episodes import Actions, EpisodeSource
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import (
    EVALUATIONS,
    DivisibleEvaluation,
    EvaluationResult,
    Row,
    metric_row,
    present_splits,
)
from jepa.evaluation.kinds.planning.config import heads_of_planners, opened_planners, privileged_planners
from jepa.evaluation.kinds.planning.problems import draw, has_problem, require_drawn, with_frames
from jepa.evaluation.kinds.planning.selection import Selection
from jepa.evaluation.kinds.regret_decomposition.config import RegretDecompositionConfig
from jepa.evaluation.kinds.regret_decomposition.menu import Menu, Search, WatchedModel, draw_menu, search
from jepa.evaluation.kinds.regret_decomposition.report import CANDIDATES, HEADLINES, PROBLEMS, SECTION, TABLES
from jepa.evaluation.kinds.regret_decomposition.scoring import (
    PARTS,
    Scores,
    carry_out,
    score,
)
from jepa.evaluation.statistics import bootstrap_mean
from jepa.models.world_model import WorldModel
from jepa.planning.costs.cost import PlanCost, make_cost
from jepa.planning.heads.head import Head
from jepa.planning.planner import Planner, PlanningSetting, Problem
from jepa.planning.problem_manifest import DrawnProblem, ProblemManifest
from jepa.planning.search.latent import LatentSearch
from jepa.worlds.recordings import require_simulator
from jepa.worlds.registry import WORLDS
from jepa.worlds.world import make_world

BY_RANKING = {"real_latents": "real_best", "imagined_latents": "imagined_best", "planner": "plan"}
"""Quantities of `top1_regret`, with the column of the problem's row that holds the true cost of their choice."""
TRUE_COSTS = {"menu_best": "menu_best", "planner": "plan"}


@EVALUATIONS.register("regret_decomposition")
class RegretDecompositionEvaluation(DivisibleEvaluation):
    """A unit is a split, a goal kind and an offset; its items are problems."""

    kind = "regret_decomposition"
    Config = RegretDecompositionConfig
    version = 1
    tables = TABLES
    headlines = HEADLINES
    section = SECTION
    needs_simulator = True
    solves_problems = True

    def __init__(self, config: RegretDecompositionConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol
        self.heads: Mapping[str, Head] = {}
        self._problems: ProblemManifest | None = None

    def needs_heads(self) -> tuple[str, ...]:
        """Returns the kinds of heads that its planners and their costs ask for."""
        return heads_of_planners(self.config.planners)

    def farthest_goal(self) -> int:
        """Returns how many environment steps its farthest goal is ahead."""
        return int(self.config.ahead)

    def use_heads(self, heads: Mapping[str, Head]) -> None:
        """Takes the heads that its planners plan with."""
        self.heads = heads

    def draw_problems(self, source: EpisodeSource, seed: int) -> ProblemManifest:
        """Returns the problems of all units.

        Raises:
            InputError: there is none at all, or the recorded states cannot be simulated.
        """
        require_simulator(source, self.kind)
        groups = [(kind, self.config.ahead) for kind in WORLDS.get(source.world).world_spec.goal_kind_names]
        selection = self._selection(seed)
        found = [draw(source, split, groups, selection) for split in present_splits(source)]
        problems = tuple(one for drawn in found for one in drawn.problems)
        if not problems:
            raise InputError(
                f"dataset has no held-out episode of {self.config.ahead} steps or more, which {self.kind} needs; "
                "collect more or longer episodes, or make ahead smaller"
            )
        return ProblemManifest(source.world, max(drawn.image_size for drawn in found), selection.seed, problems)

    def use_problems(self, problems: ProblemManifest) -> None:
        """Takes the problems whose plans are taken apart; their own offsets hold, and not `ahead`.

        Raises:
            InputError: nothing was recorded between their starts and their goals.
        """
        if problems.stitched:
            raise InputError(
                f"problems {problems.digest[:8]} have `pairs: stitched`, with no recording between start and goal, "
                f"which a menu of {self.kind} needs; choose problems within episodes, or leave that kind out"
            )
        self._problems = problems

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns `<split>/<goal kind>` for each pair that has problems, of given ones `…/<offset>` for another offset.

        Raises:
            InputError: there is none at all, or the recorded states cannot be simulated.
        """
        require_simulator(source, self.kind)
        if self._problems is not None:
            return [
                f"{split}/{goal}" + ("" if offset == self.config.ahead else f"/{offset}")
                for split, goal, offset in self._problems.groups
            ]
        config, kinds = self.config, WORLDS.get(source.world).world_spec.goal_kind_names
        pairs = [(split, kind) for split in present_splits(source) for kind in kinds]
        wanted = Selection(config.problems, seed=0)
        units = [f"{s}/{k}" for s, k in pairs if has_problem(source, s, k, config.ahead, wanted)]
        if not units:
            raise InputError(
                f"dataset has no held-out episode of {config.ahead} steps or more, which {self.kind} needs; "
                "collect more or longer episodes, or make ahead smaller"
            )
        return units

    def _parts(self, unit: str) -> tuple[str, str, int]:
        """Returns split, goal kind and offset of a unit."""
        split, goal, *offset = unit.split("/")
        return split, goal, int(offset[0]) if offset else self.config.ahead

    def _drawn(self, unit: str, source: EpisodeSource, seed: int) -> Sequence[DrawnProblem]:
        split, goal, offset = self._parts(unit)
        if self._problems is None:
            drawn = draw(source, split, [(goal, offset)], self._selection(seed)).problems
        else:
            drawn = self._problems.groups.get((split, goal, offset), [])
        require_drawn(drawn, split, goal, offset)
        return drawn

    def _selection(self, seed: int) -> Selection:
        return Selection(self.config.problems, derive_seed(seed, "regret decomposition"))

    def items(self, unit: str, source: EpisodeSource, seed: int) -> int:
        """Returns the number of a unit's problems."""
        return len(self._drawn(unit, source, seed))

    def run_items(
        self, unit: str, items: range | None, model: WorldModel, source: EpisodeSource, seed: int
    ) -> EvaluationResult:
        """Returns a row for each problem and planner, and those of the candidates that are shown.

        Raises:
            InputError: there are no such problems, or the planners do not plan equally far.
        """
        started = time.perf_counter()
        split, goal, offset = self._parts(unit)
        spec = WORLDS.get(source.world).world_spec
        drawn = self._drawn(unit, source, seed)
        problems = with_frames(drawn if items is None else drawn[items.start : items.stop], source)
        labels: Row = {"split": split, "protocol": self.protocol, "seed": seed, "goal": goal, "offset": offset}
        result = EvaluationResult(tables={PROBLEMS.name: [], CANDIDATES.name: []})
        privileged = privileged_planners(self.config.planners)
        for problem, menu, scores in self._scored(problems, offset, model, source):
            common = {**labels, "problem": problem.number, "unit": spec.distance_unit}
            result.tables[PROBLEMS.name] += _problem_rows(problem, menu, scores, common, privileged)
            if problem.number < self.config.problems_shown:
                result.tables[CANDIDATES.name] += _candidate_rows(menu, scores, common, privileged)
        result.seconds = {unit: time.perf_counter() - started}
        return result

    def pool(self, unit: str, found: EvaluationResult, seed: int) -> EvaluationResult:
        """Returns rank correlations, top-1 regrets and the parts of the regret, for each planner."""
        split, goal, offset = self._parts(unit)
        place = {label: number for number, label in enumerate(self.config.planners)}
        tables = {
            table: sorted(rows, key=lambda row: (row["problem"], place[row["planner"]], row.get("candidate", 0)))
            for table, rows in found.tables.items()
        }
        result = EvaluationResult(tables=tables)
        problems, privileged = tables[PROBLEMS.name], privileged_planners(self.config.planners)
        labels: Row = {"split": split, "protocol": self.protocol, "seed": seed, "goal": goal, "offset": offset}
        for planner in self.config.planners:
            own = [row for row in problems if row["planner"] == planner]
            columns = {**labels, "evaluation": self.kind, "planner": planner, "seconds": found.seconds[unit]}
            columns["privileged"] = privileged[planner]
            result.metrics += planner_metrics(own, problems[0]["unit"], columns)
        return result

    def check(self, model: WorldModel, source: EpisodeSource) -> None:
        """Passes where all planners can be made and plan equally far; see `Evaluation.check`."""
        setting = PlanningSetting(model, source.world, source.world_options, self.heads)
        with ExitStack() as opened:
            planners = opened_planners(opened, self.config.planners, setting)
            plan_steps = {label: one.plan_steps for label, one in planners.items()}
            for offset in {self._parts(unit)[2] for unit in self.units(source)}:
                menu_steps(plan_steps, offset, model.config.frameskip)

    def _scored(
        self, problems: Sequence[Problem], ahead: int, model: WorldModel, source: EpisodeSource
    ) -> Iterator[tuple[Problem, Menu, dict[str, Scores]]]:
        """Yields each problem with its menu and the scores of its candidates by each planner's cost."""
        config, frameskip = self.config, model.config.frameskip
        watched = WatchedModel(model.eval())
        setting = PlanningSetting(watched.as_model(), source.world, source.world_options, self.heads)
        with ExitStack() as opened:
            planners = opened_planners(opened, self.config.planners, setting)
            steps = menu_steps({label: one.plan_steps for label, one in planners.items()}, ahead, frameskip)
            world = opened.enter_context(closing(make_world(source.world, config.candidates, **source.world_options)))
            costs = {label: _cost_of(one, setting) for label, one in planners.items()}
            for problem in problems:
                demonstration = _demonstration(problem, steps)
                found: dict[str, Search] = {
                    label: search(one, watched, problem, demonstration, ahead) for label, one in planners.items()
                }
                menu = draw_menu(problem, demonstration, found, world.world_spec, config, frameskip)
                outcome = carry_out(model, world, problem, menu.action_CLA, frameskip)
                yield problem, menu, {label: score(outcome, *cost, ahead) for label, cost in costs.items()}


def menu_steps(plan_steps: Mapping[str, int], ahead: int, frameskip: int) -> int:
    """Returns L, the environment steps of a candidate: those of a plan, but no more than lead to the goal.

    Raises:
        InputError: the planners do not plan equally far, or `ahead` is no multiple of the frameskip.
    """
    if ahead % frameskip:
        raise InputError(f"ahead is {ahead}; give a multiple of the model's frameskip, {frameskip}")
    lengths = {label: min(steps, ahead) // frameskip * frameskip for label, steps in plan_steps.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{label} {steps}" for label, steps in lengths.items())
        raise InputError(f"planners on one menu must plan equally far, got steps of {listed}; change their horizons")
    return next(iter(lengths.values()))


def planner_metrics(problems: Sequence[Row], distance_unit: str, labels: Mapping[str, Any]) -> list[Row]:
    """Returns the figures of one planner, means over its problems; what is defined in none of them is left out."""
    draw = derive_seed(labels["seed"], "regret decomposition intervals")

    def rows(metric: str, unit: str, values: Mapping[str, Sequence[float]]) -> Iterator[Row]:
        for quantity, of_problems in values.items():
            finite = [value for value in of_problems if np.isfinite(value)]
            if finite:
                yield metric_row(bootstrap_mean(finite, draw), metric=metric, quantity=quantity, unit=unit, **labels)

    def column(name: str) -> list[float]:
        return [row[name] for row in problems]

    best = np.array(column("menu_best"))
    regrets = {ranking: list(np.array(column(name)) - best) for ranking, name in BY_RANKING.items()}
    correlations = {part: column(f"rank_correlation_{part}") for part in ("cost", "model", "both")}
    return [
        *rows("regret_part", distance_unit, {part: column(f"regret_{part}") for part in PARTS}),
        *rows("rank_correlation", "1", correlations),
        *rows("top1_regret", distance_unit, regrets),
        *rows("true_cost", distance_unit, {quantity: column(name) for quantity, name in TRUE_COSTS.items()}),
    ]


def _cost_of(planner: Planner, setting: PlanningSetting) -> tuple[str, PlanCost]:
    """Returns the name and the cost by which a planner ranks candidates; `latent` where it ranks none."""
    if isinstance(planner, LatentSearch):
        return str(planner.config.cost["name"]), planner.plan_cost
    return "latent", make_cost({"name": "latent"}, setting)


def _demonstration(problem: Problem, steps: int) -> Actions:
    """Returns the recorded actions (L, A) from a problem's start."""
    if problem.demonstration_LA is None:
        raise ValueError("a menu needs a problem with a recording between its start and its goal")
    return problem.demonstration_LA[:steps]


def _problem_rows(
    problem: Problem, menu: Menu, scores: Mapping[str, Scores], common: Row, privileged: Mapping[str, bool]
) -> list[Row]:
    own = {**common, "episode": problem.episode, "start_row": problem.start_row}
    return [
        {
            **own,
            "planner": label,
            "cost": one.cost,
            "privileged": privileged[label],
            **one.figures(menu.plan_of[label], menu.ranked_C),
        }
        for label, one in scores.items()
    ]


def _candidate_rows(menu: Menu, scores: Mapping[str, Scores], common: Row, privileged: Mapping[str, bool]) -> list[Row]:
    several, rows = len(scores) > 1, []
    for label, one in scores.items():
        panel = f"{common['goal']} {common['problem']}" + f" {label}" * several
        columns = {**common, "planner": label, "cost": one.cost, "privileged": privileged[label], "panel": panel}
        costs = zip(menu.origins, one.true_C, one.real_C, one.imagined_C, strict=True)
        for candidate, (origin, *figures) in enumerate(costs):
            true, real, imagined = (float(figure) for figure in figures)
            own = {"candidate": candidate, "origin": origin, "chosen": candidate == menu.plan_of[label]}
            own |= {"true_cost": true, "real_latent_cost": real, "imagined_latent_cost": imagined}
            rows.append({**columns, **own})
    return rows
