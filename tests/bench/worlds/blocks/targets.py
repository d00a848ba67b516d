"""The figures that a world's `small` models were to reach, and whether they did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.reports.words import goal_words, plain
from tests.bench.worlds.blocks.cells import NONE, Shown, number, of_mean, table
from tests.bench.worlds.blocks.facts import Figures

Row = Mapping[str, Any]
GIVEN = ("random", "demonstration", "oracle")
"""Planners that show what chance, the recording and the true world reach, and no model."""


@dataclass(frozen=True)
class Readable:
    """A linear probe's R² of a quantity on `test`."""

    quantity: str
    least: float


@dataclass(frozen=True)
class Reached:
    """Success on goals of `test` 25 steps ahead, by the planner that does best; regret below a share of random's."""

    goal: str
    least: float
    tests: tuple[str, ...] = ("usual",)
    regret_below: float | None = None


TARGETS: Mapping[str, Sequence[Readable | Reached]] = {
    "two_room": (
        Readable("agent_position", 0.97),
        Readable("door", 0.97),
        Reached("uniform", 0.99),
    ),
    "pusht": (
        Readable("agent_position", 0.90),
        Readable("block_position", 0.85),
        Readable("block_heading", 0.6),
        Reached("uniform", 0.60, ("usual", "moderate"), 0.5),
        Reached("moved_block", 0.40, ("usual", "moderate"), 0.5),
    ),
    "reacher": (Readable("joint_heading", 0.95), Reached("uniform", 0.80, ("moderate",), 0.25)),
    "cube": (
        Readable("effector_position", 0.90),
        Readable("block_position", 0.85),
        Reached("uniform", 0.50, ("moderate",), 0.5),
        Reached("moved_cube", 0.30, ("moderate",), 0.5),
    ),
}


def targets(figures: Figures) -> Shown:
    """Returns each wanted figure beside what was found."""
    lines: list[Sequence[object]] = []
    for target in TARGETS[figures["world"]]:
        lines += _probe(figures, target) if isinstance(target, Readable) else _success(figures, target)
    head = ("figure on `test`", "wanted", "found, mean over trainings", "`cem` beside", "verdict")
    return Shown(table(head, lines))


def best(rows: Sequence[Row]) -> Row | None:
    """Returns the row of the planner that reaches most goals, of those that know no more than frames and actions."""
    fair = [row for row in rows if row["planner"] not in GIVEN and not row["privileged"]]
    return max(fair, key=lambda row: row["success_rate"]["mean"], default=None)


def verdict(figure: Mapping[str, Any] | None, wanted: float, below: bool = False) -> str:
    """Returns whether a figure's mean, and the whole of its interval, is where it was wanted."""
    if figure is None or figure["mean"] is None:
        return "not judged"
    sign = -1 if below else 1
    judged = sum(one is not None for one in figure["seeds"].values())
    trainings = "" if judged > 2 else f", of {judged} training{'s' * (judged > 1)} alone"
    if sign * figure["mean"] < sign * wanted:
        return f"**missed**{trainings}"
    far = figure["high"] if below else figure["low"]
    sure = far is None or sign * far >= sign * wanted
    return f"met{'' if sure else ' by the mean, not by all of its interval'}{trainings}"


def _probe(figures: Figures, target: Readable) -> Iterator[Sequence[object]]:
    where = {"split": "test", "quantity": target.quantity, "probe": "linear", "latents": "encoder"}
    rows = [row for row in figures["probing"] if all(row[key] == value for key, value in where.items())]
    figure = rows[0].get("r2") if rows else None
    words = f"R² of {plain(target.quantity)}, linear probe"
    yield words, f"≥ {target.least:g}", of_mean(figure), NONE, verdict(figure, target.least)


def _success(figures: Figures, target: Reached) -> Iterator[Sequence[object]]:
    rows = [
        row
        for row in figures["planning"]
        if (row["split"], row["goal"], row["offset"]) == ("test", target.goal, 25)
        and row["success_kind"] in target.tests
    ]
    tests = [test for test in target.tests if any(row["success_kind"] == test for row in rows)] or [target.tests[0]]
    for test in tests:
        own = [row for row in rows if row["success_kind"] == test]
        found, cem = best(own), next((row for row in own if row["planner"] == "cem"), None)
        by = f", `{found['planner']}`" if found else ""
        rate = found["success_rate"] if found else None
        goals = f"{goal_words(target.goal)} goals, {test} test"
        yield (
            f"success %, {goals}{by}",
            f"≥ {number(target.least, True)}",
            of_mean(rate, True),
            of_mean(cem["success_rate"], True) if cem else NONE,
            verdict(rate, target.least),
        )
        if target.regret_below is not None:
            regret = found.get("normalised_regret") if found else None
            yield (
                f"regret, random's = 1, {goals}{by}",
                f"< {target.regret_below:g}",
                of_mean(regret),
                of_mean(cem.get("normalised_regret")) if cem else NONE,
                verdict(regret, target.regret_below, below=True),
            )
