"""Fills the figures into the pages of `docs/worlds/` and draws their curves beside them.

`python -m tests.bench.worlds.pages` takes what `python -m tests.bench.worlds.results` kept in the folder
`tests/bench/results/worlds/`, and replaces what stands in a page between `<!-- figures: NAME -->` and `<!-- end -->`.
The rest of a page is written by hand and holds no figure of ours. A world with no file gets a sentence that says so.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.bench.record import RESULTS
from tests.bench.worlds.blocks import beside, cost, earlier, facts, reached
from tests.bench.worlds.blocks.cells import Shown, number, table
from tests.bench.worlds.blocks.drawings import drawings
from tests.bench.worlds.blocks.facts import Figures, duration
from tests.bench.worlds.blocks.pilots import pilots
from tests.bench.worlds.blocks.targets import targets

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "worlds"
KEPT = RESULTS / "worlds"
WORLDS = ("two_room", "pusht", "reacher", "cube")
BLOCK = re.compile(r"(<!-- figures: ([\w -]+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
NOT_YET = "No figures are kept yet: no model of this world was judged."
PARTS: Mapping[str, Callable[[Figures], Shown]] = {
    "data": facts.data,
    "coverage": facts.coverage,
    "recipe": facts.recipe,
    "trainings": facts.trainings,
    "cost": cost.cost,
    "planning test": lambda figures: reached.planning(figures, "test"),
    "planning unseen": lambda figures: reached.planning(figures, "unseen"),
    "probing test": lambda figures: reached.probing(figures, "test"),
    "probing unseen": lambda figures: reached.probing(figures, "unseen"),
    "surprise test": lambda figures: reached.surprise(figures, "test"),
    "surprise unseen": lambda figures: reached.surprise(figures, "unseen"),
    "others": reached.others,
    "missing": facts.missing,
    "made": facts.made,
}
BESIDE: Mapping[str, Callable[[Figures | None, Mapping[str, Any]], Shown]] = {
    "targets": lambda figures, _: targets(figures) if figures else Shown(NOT_YET),
    "published planning": beside.planning,
    "published probing": beside.probing,
}
PILOTS = KEPT / "pilots.json"
OTHER_FILES: Mapping[str, tuple[Path, Callable[[Mapping[str, Any]], Shown]]] = {
    "heading": (KEPT / "pusht_heading.json", earlier.heading),
    "planners": (RESULTS / "planning_two_room.json", earlier.planners),
}
CURVES = {"training_curves": "Each logged term by optimiser step.", "success_by_time": "Success by training time."}


def main() -> None:
    """Writes pages and drawings."""
    for world in WORLDS:
        figures, page = kept(world), PAGES / f"{world}.md"
        for name, drawing in drawings(figures) if figures else ():
            if drawing is not None:
                drawing_of(world, name).write_text(drawing)
        text, _ = filled(page.read_text(), world, figures)
        page.write_text(text)
        print(page)


def kept(world: str) -> dict[str, Any] | None:
    """Returns a world's figures, None where none are kept yet."""
    path = KEPT / f"{world}.json"
    return json.loads(path.read_text()) if path.exists() else None


def published(world: str) -> dict[str, Any]:
    """Returns what others published of a world."""
    found: dict[str, Any] = json.loads((KEPT / "published.json").read_text())[world]
    return found


def drawing_of(world: str, name: str) -> Path:
    """Returns the file of a drawing."""
    return PAGES / f"{world}-{name.replace('_', '-')}.svg"


def filled(text: str, world: str, figures: Figures | None) -> tuple[str, frozenset[str]]:
    """Returns a page with its blocks filled in, and the names of the kept figures that they show.

    Raises:
        KeyError: a block has a name that nothing is drawn of.
    """
    shown: frozenset[str] = frozenset()

    def fill(match: re.Match[str]) -> str:
        nonlocal shown
        part = _part(match[2], world, figures)
        shown |= part.names
        return f"{match[1]}{part.text}\n{match[4]}"

    return BLOCK.sub(fill, text), shown


def _part(name: str, world: str, figures: Figures | None) -> Shown:
    if name in BESIDE:
        return BESIDE[name](figures, published(world))
    if name == "pilots":
        return pilots(json.loads(PILOTS.read_text()), world)
    if name in OTHER_FILES:
        path, show = OTHER_FILES[name]
        return show(json.loads(path.read_text()))
    if name not in CURVES:
        return PARTS[name](figures) if figures else Shown(NOT_YET)
    return _curve(name, world, figures) if figures else Shown(NOT_YET)


def _curve(name: str, world: str, figures: Figures) -> Shown:
    """Returns the link to a drawing, with the points of success in a table below it."""
    if not figures[name]:
        return Shown("Not measured: no checkpoint of these trainings was judged.", frozenset({name}))
    link = f"![{CURVES[name]}]({drawing_of(world, name).name})"
    if name == "training_curves":
        return Shown(link, frozenset({name}))
    lines = [
        (
            f"{line['goal']}, {line['success_kind']}, {line['offset']} ahead, {line['planner']}, {line['training']}",
            ", ".join(
                f"{number(value, True)} after {duration(60 * minutes)} ({step:,} steps)"
                for step, minutes, value, *_ in line["points"]
            ),
            line["points"][-1][-1],
        )
        for line in figures[name]
    ]
    return Shown(f"{link}\n\n{table(('goals, planner, training', 'success %', 'n'), lines)}", frozenset({name}))


if __name__ == "__main__":
    main()
