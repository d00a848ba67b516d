"""Parts of a page that say what the models reach: planning, probing, surprise, and models of other recipes."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.reports.words import plain
from tests.bench.worlds.blocks.cells import Shown, number, of_mean, of_seed, seconds, sizes, table
from tests.bench.worlds.blocks.facts import Figures, duration

Rows = Sequence[Mapping[str, Any]]
KEYS: Mapping[str, tuple[str, ...]] = {
    "planning": ("protocol", "success_kind", "offset", "split", "goal", "planner"),
    "probing": ("protocol", "split", "quantity", "probe", "latents"),
    "surprise": ("protocol", "split", "shift"),
}
"""What names a row of each table."""
LATENTS = {"encoder": "the model", "untrained": "an untrained encoder", "pixels_pca": "pixels, principal components"}


def name_of(kind: str, row: Mapping[str, Any]) -> str:
    """Returns the name of a row: the table and what tells the row from the others."""
    return " ".join([kind, *(str(row[key]) for key in KEYS[kind])])


def planning(figures: Figures, split: str) -> Shown:
    """Returns how often each planner reaches its goals, a table for each set-up."""
    rows = [row for row in figures["planning"] if row["split"] == split]
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["protocol"], row["success_kind"], row["offset"]), []).append(row)
    if not groups:
        return Shown(f"Planning on `{split}` was not judged.")
    return Shown("\n\n".join(_set_up(key, own) for key, own in groups.items()), _names("planning", rows))


def _set_up(key: tuple[Any, ...], rows: Rows) -> str:
    protocol, test, offset = key
    seeds = _seeds(rows)
    unit = next((row["unit"] for row in rows if row.get("unit")), "")
    said = (
        f"Protocol `{protocol}`, test of success `{test}`, goals {offset} steps ahead, "
        f"n = {sizes(rows, 'success_rate')} problems for each training; regret is in final distance ({unit})."
    )
    lines = [
        (
            f"{plain(row['goal'])}: {row['planner']}{'†' if row['privileged'] else ''}",
            *(of_seed(row["success_rate"], seed, percent=True) for seed in seeds),
            of_mean(row["success_rate"], percent=True),
            of_mean(row.get("regret")),
            of_mean(row.get("normalised_regret")),
            seconds(row["plan_seconds"]["mean"]),
        )
        for row in rows
    ]
    head = (
        "goal: planner",
        *(f"success %, seed {seed}" for seed in seeds),
        "mean",
        "regret",
        "regret, random's = 1",
        "s a decision",
    )
    return f"{said}\n\n{table(head, lines)}"


def probing(figures: Figures, split: str) -> Shown:
    """Returns how well each quantity is read from latents of one frame, beside the baselines."""
    rows = [row for row in figures["probing"] if row["split"] == split]
    if not rows:
        return Shown(f"Probing on `{split}` was not judged.")
    seeds = _seeds(rows)
    lines = [
        (
            f"{plain(row['quantity'])}, {plain(row['probe'])}, {LATENTS.get(row['latents'], row['latents'])}",
            *(of_seed(row.get("r2"), seed) for seed in seeds),
            of_mean(row.get("r2")),
            number(row["pearson_r"]["mean"] if "pearson_r" in row else None),
            number(row["mse"]["mean"] if "mse" in row else None),
        )
        for row in rows
    ]
    head = ("quantity, probe, read from", *(f"R², seed {seed}" for seed in seeds), "mean", "r", "MSE / variance")
    said = f"n = {sizes(rows, 'r2')} episodes of `{split}`."
    return Shown(f"{said}\n\n{table(head, lines)}", _names("probing", rows))


def surprise(figures: Figures, split: str) -> Shown:
    """Returns how well the error one block ahead tells a perturbed episode from its twin."""
    rows = [row for row in figures["surprise"] if row["split"] == split]
    if not rows:
        return Shown(f"Surprise on `{split}` was not judged.")
    seeds = _seeds(rows)
    lines = [
        (
            f"{plain(row['shift'])} ({row['principle'] or 'principle not recorded'})",
            *(of_seed(row["auroc"], seed) for seed in seeds),
            of_mean(row["auroc"]),
            sizes([row], "auroc"),
        )
        for row in rows
    ]
    head = ("perturbation", *(f"AUROC, seed {seed}" for seed in seeds), "mean", "n")
    said = f"n episodes of `{split}` that the perturbation could strike."
    return Shown(f"{said}\n\n{table(head, lines)}", _names("surprise", rows))


def others(figures: Figures) -> Shown:
    """Returns the figures of models that were trained otherwise, each with what it is."""
    parts = [_other(name, one) for name, one in figures["others"].items()]
    return sum(parts, Shown("" if parts else "No other training is kept."))


def names(figures: Figures) -> set[str]:
    """Returns the names of all that a file of figures holds; a page has to show each."""
    whole = {"data", "coverage", "recipe", "trainings", "cost", "training_curves", "success_by_time", "missing", "made"}
    rows = {name_of(kind, row) for kind in KEYS for row in figures[kind]}
    return whole | rows | {f"other {name}" for name in figures["others"]}


def _other(name: str, one: Figures) -> Shown:
    training = one["training"]
    said = (
        f"**`{name}`**: recipe `{one['recipe']['name']}`, {training['steps']:,} steps of {training['clips_of_a_step']} "
        f"clips, {duration(training['wall_seconds'])}, {training['parameters']:,} parameters, seed {training['seed']}, "
        f"dataset `{one['dataset']}`."
    )
    shows = {"planning": planning, "probing": probing, "surprise": surprise}
    splits = sorted({row["split"] for kind in shows for row in one[kind]})
    judged = {(kind, row["split"]) for kind in shows for row in one[kind]}
    parts = [show(one, split) for split in splits for kind, show in shows.items() if (kind, split) in judged]
    return Shown("\n\n".join([said, *(part.text for part in parts)]), frozenset({f"other {name}"}))


def _seeds(rows: Rows) -> list[str]:
    found = {seed for row in rows for value in row.values() if isinstance(value, dict) for seed in value["seeds"]}
    return sorted(found, key=int)


def _names(kind: str, rows: Rows) -> frozenset[str]:
    return frozenset(name_of(kind, row) for row in rows)
