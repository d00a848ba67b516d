"""`jepa ls`: what a store holds: datasets, models with their heads, runs, and what each was made from."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from flows.cli.commands.context import Context
from flows.cli.table import table_lines
from jepa.core.config import Config

if TYPE_CHECKING:
    from pipelines.store.inventory import DatasetEntry, HeadEntry, Inventory, ModelEntry, RunEntry

UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
UNFINISHED = "; the command that began it, given again, finishes it, and `jepa gc` deletes it after a week"


class LsOptions(Config):
    """What to list."""

    what: Literal["datasets", "models", "heads", "runs"] | None = None
    """`datasets`, `models`, `heads` or `runs`; by default all of them"""


Options = LsOptions
POSITIONAL = "what"
EXAMPLE = "jepa ls\n  jepa ls models --json"


def execute(options: LsOptions, context: Context) -> int:
    """Lists what is committed; what is damaged is named below."""
    from pipelines.store.inventory import inventory

    held = inventory(context.store(writes=False))
    shown = held if options.what is None else held.model_copy(update={name: () for name in _others(options.what)})
    context.show(
        shown.model_dump(mode="json"),
        _lines(shown) or [f"store {context.store_uri} holds no {options.what or 'dataset, model or run'} yet"],
    )
    return 0


def _others(what: str) -> list[str]:
    return [name for name in ("datasets", "models", "heads", "runs", "unfinished") if name != what]


def _lines(held: "Inventory") -> list[str]:
    parts = [
        table_lines([_dataset_row(entry) for entry in held.datasets], right=("episodes", "frames", "size")),
        table_lines([_model_row(entry) for entry in held.models], right=("parameters", "steps", "size")),
        table_lines([_head_row(entry) for entry in held.heads], right=("parameters", "seed", "loss")),
        table_lines([_run_row(entry) for entry in held.runs], right=("units",)),
        [f"unfinished: {folder}{UNFINISHED}" for folder in held.unfinished],
        [f"damaged: {sentence}" for sentence in held.damaged],
    ]
    lines = [line for part in parts if part for line in ("", *part)]
    return lines[1:]


def _dataset_row(entry: "DatasetEntry") -> dict[str, str]:
    return {
        "dataset": entry.dataset + (" (newest)" if entry.newest else ""),
        "episodes": f"{entry.episodes:,}",
        "frames": f"{entry.frames:,}" + (f", of every {entry.frame_every} steps" if entry.frame_every > 1 else ""),
        "size": size(entry.bytes),
        "stored as": f"{entry.format}, {entry.codec}",
        "world": entry.world + (f", {entry.shift_of}" if entry.shift_of else ""),
    }


def _model_row(entry: "ModelEntry") -> dict[str, str]:
    origin = entry.dataset + (f", from {entry.init_from}" if entry.init_from else "")
    return {
        "model": entry.model + (" (newest)" if entry.newest else ""),
        "parameters": f"{entry.parameters:,}",
        "steps": f"{entry.steps:,}",
        "size": "lost" if entry.bytes is None else size(entry.bytes),
        "objective": entry.objective,
        "trained on": origin,
    }


def _head_row(entry: "HeadEntry") -> dict[str, str]:
    return {
        "head": entry.head + (" (privileged)" if entry.privileged else ""),
        "parameters": f"{entry.parameters:,}",
        "seed": str(entry.seed),
        "loss": f"{entry.loss:.4g}",
        "fitted on": f"{entry.model}, {entry.dataset}",
    }


def _run_row(entry: "RunEntry") -> dict[str, str]:
    judged = [f"{', '.join(entry.models)} on {', '.join(entry.datasets)}"] if entry.models else []
    return {
        "run": entry.run,
        "units": f"{entry.units:,}" + (f" of {entry.units + entry.missing:,}" if entry.missing else ""),
        "age": age(datetime.now(UTC), entry.newest),
        "of": " and ".join([*(f"study {name}" for name in entry.studies), *judged]),
    }


def size(count: float) -> str:
    """Returns a number of bytes for people."""
    place = 0
    while count >= 999.5 and place < len(UNITS) - 1:
        count, place = count / 1000, place + 1
    return f"{count:.3g} {UNITS[place]}"


def age(now: datetime, then: datetime) -> str:
    """Returns how long ago something was, for people."""
    seconds = max(0, round((now - then).total_seconds()))
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
