"""Parts of a page that say what was collected and trained: data, coverage, recipe, trainings, commands."""

from collections.abc import Iterator, Mapping
from typing import Any

from jepa.core.episodes import SPLITS
from pipelines.reports.words import duration_words
from tests.bench.worlds.blocks.cells import NONE, Shown, number, table, words_table

Figures = Mapping[str, Any]


def data(figures: Figures) -> Shown:
    """Returns what the dataset holds."""
    held = figures["data"]
    episodes = ", ".join(f"{held['episodes'][split]:,} {split}" for split in SPLITS)
    every = f"one of every {held['a_frame_every']} steps" if held["a_frame_every"] > 1 else "one of each step"
    height, width = held["image_size"]
    policy = ", ".join(f"`{name}` {share:g}" for name, share in held["policy"].items())
    rows: list[tuple[str, object]] = [
        ("episodes", episodes),
        ("steps of an episode", held["steps_of_an_episode"]),
        (
            "frames",
            f"{held['frames']:,} of {height} × {width} pixels, {every}",
        ),
        ("policies and their shares", policy),
        ("factors with held-out values", ", ".join(f"`{name}`" for name in held["factors_held_out"]) or NONE),
        ("size", f"{held['bytes'] / 1e6:,.1f} MB, {held['bytes_a_frame']:,.0f} bytes a frame ({held['codec']})"),
        ("dataset", f"`{held['name']}@{held['version']}`, seed {held['seed']}, digest {held['digest']}"),
        ("collected by", f"code {held['code']}"),
    ]
    options = ", ".join(f"`{name}={value}`" for name, value in held["world_options"].items())
    rows += [("options of the world", options)] if options else []
    return Shown(words_table(("data", ""), rows), frozenset({"data"}))


def coverage(figures: Figures) -> Shown:
    """Returns which shares of steps and episodes show what, by policy."""
    found = figures["data"]["coverage"]
    policies = found["by_policy"]
    counted = [name for name in policies[0] if name not in ("policy", "episodes", "steps")]
    rows: list[list[str]] = [
        ["episodes", *(f"{row['episodes']:,}" for row in policies)],
        *([f"{name}, %", *(number(row[name], True) for row in policies)] for name in counted),
    ]
    head = ["share of", *(f"`{row['policy']}`" if row["policy"] != "all" else "all" for row in policies)]
    visited = found["visited_share_of_the_scene"]
    seen = (
        f"\n\n`{visited['quantity']}` visited {number(visited['share'], True)} % of the scene's 20 × 20 cells."
        if visited
        else ""
    )
    return Shown(table(head, rows) + seen, frozenset({"coverage"}))


def recipe(figures: Figures) -> Shown:
    """Returns every field of the recipe."""
    held = figures["recipe"]
    named = f"Recipe `{held['name']}`, objective `{held['objective']}`; trainings differ in their seed alone."
    named += _supervision(held["objective_options"].get("head"))
    rows = [(part, ", ".join(_fields(held[part]))) for part in ("model", "objective_options", "train")]
    return Shown(f"{named}\n\n{words_table(('part', 'fields'), rows)}", frozenset({"recipe"}))


def trainings(figures: Figures) -> Shown:
    """Returns what each training took, and which weights it made."""
    rows = [
        (
            f"`{row['model']}`",
            row["seed"],
            f"{row['steps']:,} × {row['clips_of_a_step']}",
            duration(row["wall_seconds"]),
            f"{row['clips_a_second']:,.0f}" if row["clips_a_second"] else NONE,
            f"{row['parameters']:,}",
            ", ".join(map(_head, row["heads"])) or NONE,
            row["digest"],
        )
        for row in figures["trainings"]
    ]
    head = ("model", "seed", "steps × clips", "wall time", "clips/s", "parameters", "heads", "digest")
    return Shown(table(head, rows), frozenset({"trainings"}))


def missing(figures: Figures) -> Shown:
    """Returns what the file says is not there."""
    lines = [f"- {one}" for one in figures["missing"]] or ["Nothing that the tables above could show is missing."]
    return Shown("\n".join(lines), frozenset({"missing"}))


def made(figures: Figures) -> Shown:
    """Returns hardware and versions, and the commands that give the figures again."""
    held = figures["made"]
    hardware, versions = held["hardware"], held["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()) if version)
    said = (
        f"{hardware['cores']} cores of {hardware['processor']}, load {hardware['load']} when the figures were read; "
        f"trained by code {', '.join(held['trained_by'])}, read by {held['code']}; {packages}."
    )
    return Shown("\n".join([said, "", "```bash", *held["commands"], "```"]), frozenset({"made"}))


def _supervision(head: Mapping[str, Any] | None) -> str:
    """Returns a sentence about a head that is taught recorded states, where the training has one."""
    if not head:
        return ""
    return (
        f" **Privileged:** a head of weight {head['weight']:g} is taught `{head['quantity']}` from the recorded states "
        "of the training episodes, which no camera shows; LeWorldModel has none."
    )


def _head(head: Mapping[str, Any]) -> str:
    """Returns a head with the wall time of its fit; one that was trained jointly has none of its own."""
    took = head["fitted_in"]
    return f"`{head['kind']}` {'trained jointly' if took is None else f'fitted in {duration(took)}'}"


def duration(seconds: float) -> str:
    """Returns a wall time in seconds, or in minutes from three of them on."""
    return duration_words(seconds) if seconds < 180 else f"{seconds / 60:.1f} min"


def _fields(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _fields(value, f"{prefix}{name}.")
        elif value not in (None, {}, []):
            yield f"{prefix}{name} {_plain(value)}"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
