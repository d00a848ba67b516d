"""Published figures beside ours, each with its test and its source."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.reports.words import goal_words, plain
from tests.bench.worlds.blocks.cells import NONE, Shown, number, of_mean, table, words_table
from tests.bench.worlds.blocks.facts import Figures
from tests.bench.worlds.blocks.targets import GIVEN, best

Published = Mapping[str, Any]
METHODS = {"lewm": "LeWM", "pldm": "PLDM", "dino_wm": "DINO-WM"}
TESTS = {"paper": "the paper's", "moderate": "CLEAR-LeWM's moderate", "strict": "CLEAR-LeWM's strict"}


def planning(figures: Figures | None, published: Published) -> Shown:
    """Returns success on goals 25 steps ahead: ours on `test`, then what others published."""
    ours = [] if figures is None else _ours(figures)
    theirs = [
        (
            f"{row['method']} ({row['note']})" if row["note"] else row["method"],
            TESTS[row["test"]],
            f"{row['success']:g}" + (f" ± {row['spread']:g}" if row["spread"] is not None else ""),
            row["source"],
        )
        for row in published["planning"]
    ]
    return Shown(words_table(("planner", "test of success", "success %", "source"), [*ours, *theirs]))


def probing(figures: Figures | None, published: Published) -> Shown:
    """Returns Pearson's r and the error over the variance of linear probes and MLPs: the paper's, ours on `test`."""
    lines = []
    for row in published["probing"]:
        for place, probe in enumerate(("linear", "mlp")):
            theirs = [f"{row[key][2 * place + 1]:.3f} ({row[key][2 * place]:.3f})" for key in METHODS]
            own = _probed(figures, row["quantity"], probe)
            lines.append((f"{row['published']}, {plain(probe)}", *theirs, own, row["source"]))
    if not lines:
        return Shown("No probes of this world were published.")
    return Shown(table(("r (MSE / variance)", *METHODS.values(), "ours", "source"), lines))


def _ours(figures: Figures) -> list[Sequence[object]]:
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in figures["planning"]:
        if row["split"] == "test" and row["offset"] == 25:
            groups.setdefault((row["goal"], row["success_kind"], row["protocol"]), []).append(row)
    lines: list[Sequence[object]] = []
    for (goal, test, protocol), rows in groups.items():
        top = best(rows)
        for row in rows:
            if row is top or row["planner"] in (*GIVEN, "cem"):
                words = f"**ours**: {row['planner']}, {goal_words(goal)} goals"
                lines.append((words, test, of_mean(row["success_rate"], True), f"`{protocol}`"))
    return lines


def _probed(figures: Figures | None, quantity: str, probe: str) -> str:
    for row in figures["probing"] if figures else ():
        if (row["split"], row["quantity"], row["probe"], row["latents"]) == ("test", quantity, probe, "encoder"):
            return f"{number(row['pearson_r']['mean'])} ({number(row['mse']['mean'])})"
    return NONE
