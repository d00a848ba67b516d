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
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, Row, metric_row, present_splits
from jepa.evaluation.kinds.planning.config import heads_of_planners, privileged_planners
from jepa.evaluation.kinds.planning.problems import draw_problems, has_problem
from jepa.evaluation.kinds.planning.selection import Selection
from jepa.evaluation.kinds.regret_decomposition.config import RegretDecompositionConfig
from jepa.evaluation.kinds.regret_decomposition.menu import Menu, Search, WatchedModel, draw_menu, search
from jepa.evaluation.kinds.regret_decomposition.report import CANDIDATES, HEADLINES, PROBLEMS, SECTION
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
from jepa.planning.planner import Planner, PlanningSetting, Problem, make_planner
from jepa.planning.search.latent import LatentSearch
from jepa.worlds.recordings import require_simulator
from jepa.worlds.world import WORLDS, make_world

BY_RANKING = {"real_latents": "real_best", "imagined_latents": "imagined_best", "planner": "plan"}
"""Quantities of `top1_regret`, with the column of the problem's row that holds the true cost of their choice."""
TRUE_COSTS = {"menu_best": "menu_best", "planner": "plan"}


@EVALUATIONS.register("regret_decomposition")
class RegretDecompositionEvaluation(Evaluation):
    """A unit is a split and a goal kind."""

    kind = "regret_decomposition"
    Config = RegretDecompositionConfig
    version = 1
    tables = (PROBLEMS, CANDIDATES)
    headlines = HEADLINES
    section = SECTION
    needs_simulator = True

    def __init__(self, config: RegretDecompositionConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol
        self.heads: Mapping[str, Head] = {}

    def needs_heads(self) -> tuple[str, ...]:
        """Returns the kinds of heads that its planners and their costs ask for."""
        return heads_of_planners(self.config.planners)

    def use_heads(self, heads: Mapping[str, Head]) -> None:
        """Takes the heads that its planners plan with."""
        self.heads = heads

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns `<split>/<goal kind>` for each pair that has problems.

        Raises:
            InputError: there is none at all, or the recorded states cannot be simulated.
        """
        require_simulator(source, self.kind)
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

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns rank correlations, top-1 regrets and the parts of the regret, for each planner.

        Raises:
            InputError: there are no such problems, or the planners do not plan equally far.
        """
        started = time.perf_counter()
        split, goal = unit.split("/")
        spec = WORLDS.get(source.world).world_spec
        drawn = derive_seed(seed, "regret decomposition")
        problems = draw_problems(source, split, goal, self.config.problems, self.config.ahead, drawn)
        labels: Row = {"split": split, "protocol": self.protocol, "seed": seed, "goal": goal}
        result = EvaluationResult(tables={PROBLEMS.name: [], CANDIDATES.name: []})
        privileged = privileged_planners(self.config.planners)
        for problem, menu, scores in self._scored(problems, model, source):
            common = {**labels, "problem": problem.number, "unit": spec.distance_unit}
            result.tables[PROBLEMS.name] += _problem_rows(problem, menu, scores, common, privileged)
            if problem.number < self.config.problems_shown:
                result.tables[CANDIDATES.name] += _candidate_rows(menu, scores, common, privileged)
        seconds = time.perf_counter() - started
        for planner in self.config.planners:
            own = [row for row in result.tables[PROBLEMS.name] if row["planner"] == planner]
            columns = {**labels, "evaluation": self.kind, "planner": planner, "seconds": seconds}
            columns["privileged"] = privileged[planner]
            result.metrics += planner_metrics(own, spec.distance_unit, columns)
        return result

    def _scored(
        self, problems: Sequence[Problem], model: WorldModel, source: EpisodeSource
    ) -> Iterator[tuple[Problem, Menu, dict[str, Scores]]]:
        """Yields each problem with its menu and the scores of its candidates by each planner's cost."""
        config, frameskip = self.config, model.config.frameskip
        watched = WatchedModel(model.eval())
        setting = PlanningSetting(watched.as_model(), source.world, source.world_options, self.heads)
        with ExitStack() as opened:
            planners: dict[str, Planner] = {}
            for label, given in config.planners.items():
                options = dict(given)
                made = make_planner(options.pop("planner"), options, setting)
                planners[label] = opened.enter_context(closing(made))
            steps = menu_steps({label: one.plan_steps for label, one in planners.items()}, config.ahead, frameskip)
            world = opened.enter_context(closing(make_world(source.world, config.candidates, **source.world_options)))
            costs = {label: _cost_of(one, setting) for label, one in planners.items()}
            demonstrations = _demonstrations(source, problems, steps)
            for problem in problems:
                demonstration = demonstrations[problem.episode, problem.start_row]
                found: dict[str, Search] = {
                    label: search(one, watched, problem, demonstration, config.ahead) for label, one in planners.items()
                }
                menu = draw_menu(problem, demonstration, found, world.world_spec, config, frameskip)
                outcome = carry_out(model, world, problem, menu.action_CLA, frameskip)
                yield problem, menu, {label: score(outcome, *cost, config.ahead) for label, cost in costs.items()}


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


def _demonstrations(source: EpisodeSource, problems: Sequence[Problem], steps: int) -> dict[tuple[int, int], Actions]:
    """Returns the recorded actions (L, A) from the start of each problem, by episode and row."""
    wanted: dict[int, list[int]] = {}
    for problem in problems:
        wanted.setdefault(problem.episode, []).append(problem.start_row)
    found: dict[tuple[int, int], Actions] = {}
    for episode in source.episodes(problems[0].split):
        rows = wanted.pop(episode.index, [])
        found |= {(episode.index, row): episode.action[row : row + steps].copy() for row in rows}
        if not wanted:
            break
    return found


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
