"""Short trainings and their planners on validation problems, from which recipe and protocol of `small` were chosen."""

from collections.abc import Iterator, Mapping
from typing import Any

from jepa.evaluation.statistics import wilson
from pipelines.reports.words import goal_words, plain
from tests.bench.worlds.blocks.cells import Shown, number, table, with_interval


def pilots(kept: Mapping[str, Any], world: str) -> Shown:
    """Returns what was tried in a world: what probes read, and what planners reached, each with its training."""
    made, own = kept["made"], kept[world]
    if not own["planning"]:
        return Shown("No pilots of this world are kept.")
    said = (
        f"Pilots: {made['steps']:,} steps of 128 clips, seed {made['seed']}; {made['model']}. {made['problems']} "
        f"problems of `{made['split']}` for each kind of goal, test `{made['test'][world]}`, with Wilson's 95 % "
        f"interval; {made['hardware']}, code {made['code']}, {made['date']}."
    )
    return Shown("\n\n".join([said, _probes(own["probes"]), *_planning(own["planning"], made["problems"])]))


def _probes(rows: list[Mapping[str, Any]]) -> str:
    quantities = list(rows[0]["linear"])
    lines = [
        (row["training"], *(f"{number(row['linear'][name])} / {number(row['mlp'][name])}" for name in quantities))
        for row in rows
    ]
    return table(("R², linear / MLP", *map(plain, quantities)), lines)


def _planning(rows: list[Mapping[str, Any]], problems: int) -> Iterator[str]:
    """Yields a table for each training, the planner that reaches most goals last."""
    goals = list(rows[0]["success"])
    head = (
        "planner, looks every so many steps",
        *(f"success %, {goal_words(goal)}" for goal in goals),
        *(f"regret, {goal_words(goal)}" for goal in goals),
    )
    for training in dict.fromkeys(row["training"] for row in rows):
        lines = []
        for row in sorted(rows, key=lambda one: max(one["success"].values())):
            if row["training"] != training:
                continue
            rates = [wilson(round(row["success"][goal] * problems), problems) for goal in goals]
            cells = [with_interval(rate.value, rate.low, rate.high, percent=True) for rate in rates]
            lines.append((row["planner"], *cells, *(number(row["regret"][goal]) for goal in goals)))
        yield f"{training[0].upper()}{training[1:]}:\n\n{table(head, lines)}"
