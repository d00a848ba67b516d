"""What was trained: the recipe, the trainings of each seed, and their curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.store.models.curve import read_curve
from pipelines.store.models.heads.handle import heads_of
from pipelines.store.models.manifest import ModelHandle, ModelManifest, find_model
from tests.bench.worlds.reading.seeds import rounded

Curves = dict[str, dict[str, list[list[float | None]]]]
POINTS = 60
"""Points that are kept of a curve; each is the mean of its neighbours."""
BESIDE = {
    *("lambda", "latent_std", "latent_std_min", "latent_std_median", "latent_std_max", "latent_mean_max"),
    *("learning_rate", "gradient_norm", "data_wait", "workers", "clips_per_second"),
    *("checkpoint_seconds", "checkpoint_failures", "loss"),
}
"""Logged figures of which no curve is kept."""


def manifests(store: Store, names: Sequence[str]) -> tuple[dict[str, ModelManifest], list[str]]:
    """Returns the finished models among these, and the names of those that are not there."""
    found = {name: find_model(store, name) for name in names}
    return {name: one for name, one in found.items() if one}, [name for name, one in found.items() if one is None]


def recipe_of(models: Mapping[str, ModelManifest]) -> dict[str, Any]:
    """Returns the recipe that all models share, every field resolved, the training's seed aside.

    Raises:
        InputError: they do not share one, or were not trained on one dataset.
    """
    recipes = {}
    for name, one in models.items():
        recipe = one.recipe.model_dump(mode="json")
        recipe["train"].pop("seed")
        recipes[name] = {"name": one.request.get("recipe"), **recipe}
    first, *others = recipes
    for other in others:
        if recipes[other] != recipes[first]:
            raise InputError(f"models {first!r} and {other!r} have different recipes; give one of them by --also")
        if models[other].dataset_ref != models[first].dataset_ref:
            raise InputError(f"models {first!r} and {other!r} have different datasets; give one of them by --also")
    return recipes[first]


def trainings(store: Store, models: Mapping[str, ModelManifest]) -> list[dict[str, Any]]:
    """Returns a row for each training: its seed, its length, what it cost, which weights it made."""
    return [_training(store, name, one) for name, one in models.items()]


def curves(store: Store, models: Mapping[str, ModelManifest]) -> Curves:
    """Returns the curve of each logged term by metric and training seed: [step, value], `POINTS` of them at most."""
    found: Curves = {}
    for name, one in models.items():
        rows = read_curve(ModelHandle(store, name), 10**12).rows
        for metric in dict.fromkeys(str(row["metric"]) for row in rows):
            values = [(int(row["step"]), float(row["value"])) for row in rows if row["metric"] == metric]
            if metric not in BESIDE:
                found.setdefault(metric, {})[str(one.recipe.train.seed)] = _thinned(values)
    return found


def _training(store: Store, name: str, manifest: ModelManifest) -> dict[str, Any]:
    train = manifest.recipe.train
    steps = manifest.segments[-1].end if manifest.segments else train.steps
    heads = [
        {"kind": one.name.rpartition("-")[0], "fitted_in": None if one.request.jointly else rounded(one.seconds)}
        for one in heads_of(store, name)
        if one.request.model == manifest.reference
    ]
    return {
        "model": name,
        "seed": train.seed,
        "steps": steps,
        "clips_of_a_step": train.batch_size,
        "wall_seconds": rounded(manifest.seconds),
        "clips_a_second": rounded(steps * train.batch_size / manifest.seconds) if manifest.seconds else None,
        "parameters": manifest.parameters,
        "heads": heads,
        "digest": manifest.digest[:16],
        "code": manifest.code_version,
    }


def _thinned(values: Sequence[tuple[int, float]]) -> list[list[float | None]]:
    parts = np.array_split(np.array(values, dtype=np.float64), min(POINTS, len(values)))
    return [[rounded(part[:, 0].mean()), rounded(part[:, 1].mean())] for part in parts]
