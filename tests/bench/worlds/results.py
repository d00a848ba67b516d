"""The figures of a world's models, read from a store by the product's own queries and kept as JSON.

`python -m tests.bench.worlds.results --store runs --world pusht --runs m-s0 m-s1 m-s2` takes models that differ in the
seed of their training and writes `tests/bench/results/worlds/pusht.json`: the data with their coverage, the recipe, the
curves, and every figure by training seed with n and its interval. What is not there is written as missing.
`python -m tests.bench.worlds.pages` shows it on `docs/worlds/pusht.md`.
"""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.storage import Store, open_store
from jepa.core.episodes import SPLITS
from jepa.core.errors import InputError
from jepa.worlds import WORLDS
from pipelines.store import Dataset, open_dataset, resolve_dataset
from pipelines.store.models.manifest import ModelManifest
from tests.bench.record import RESULTS, surroundings
from tests.bench.worlds.blocks.cost import costs
from tests.bench.worlds.reading.commands import commands
from tests.bench.worlds.reading.coverage import dataset_coverage
from tests.bench.worlds.reading.judged import (
    metrics,
    planning_table,
    probing_table,
    success_by_time,
    surprise_table,
    unlike,
)
from tests.bench.worlds.reading.seeds import rounded
from tests.bench.worlds.reading.trained import curves, manifests, recipe_of, trainings

FOLDER = RESULTS / "worlds"


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the figures of one world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True, help="folder or address of a store")
    parser.add_argument("--world", required=True)
    parser.add_argument("--runs", nargs="+", required=True, help="models of one recipe, a training seed each")
    parser.add_argument("--curve", nargs="+", default=[], help="models whose success is shown against training time")
    parser.add_argument("--also", nargs="+", default=[], help="models of other recipes or lengths, shown beside")
    parser.add_argument("--protocols", nargs="+", default=[], help="those whose figures are taken; all by default")
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder of the file")
    asked = parser.parse_args(arguments)
    found = world_figures(
        open_store(asked.store), asked.world, asked.runs, asked.curve or asked.runs, asked.also, asked.protocols
    )
    asked.into.mkdir(parents=True, exist_ok=True)
    path = asked.into / f"{asked.world}.json"
    path.write_text(written(found))
    print(f"{path}: {len(found['planning'])} rows of planning, {len(found['probing'])} of probing")
    print("\n".join(f"missing: {one}" for one in found["missing"]))


def world_figures(
    store: Store,
    world: str,
    runs: Sequence[str],
    curve: Sequence[str] = (),
    also: Sequence[str] = (),
    protocols: Sequence[str] = (),
) -> dict[str, Any]:
    """Returns the figures of models that differ in the seed of their training.

    Args:
        store: that holds models, dataset and figures.
        world: all of them are of this one.
        runs: names of the models; those that are not finished are named under `missing`.
        curve: models, finished ones among these or others, whose success is held against their training time.
        also: models of other recipes, each with figures of its own.
        protocols: those whose figures are taken; none are all.

    Raises:
        InputError: none of the models is finished, one is of another world, or they differ in more than a seed.
    """
    models, unfinished = manifests(store, runs)
    others, unfinished_others = manifests(store, also)
    timed, _ = manifests(store, curve)
    if not models:
        raise InputError(f"none of the models {', '.join(runs)} in {store.uri!r} is finished; give one that is")
    for name, one in {**models, **others, **timed}.items():
        if one.world != world:
            raise InputError(f"model {name!r} is of world {one.world!r} and not {world!r}; leave it out")
    recipe = recipe_of(models)
    datasets = {
        name: one.dataset_ref or resolve_dataset(store, one.dataset) for name, one in {**models, **others}.items()
    }
    dataset = open_dataset(store, datasets[next(iter(models))])
    used = [dataset.name, *(reference.name for reference in datasets.values())]
    judged = _judged(store, models, protocols)
    found: dict[str, Any] = {
        "world": world,
        "made": {
            **surroundings(),
            "commands": commands(store, dataset.name, [*models, *others], protocols),
            "trained_by": sorted({one.code_version for one in models.values()}),
        },
        "data": data(dataset),
        "recipe": recipe,
        "trainings": trainings(store, models),
        "cost": costs(store, [*dict.fromkeys(used)], [*models, *others]),
        "training_curves": curves(store, models),
        "success_by_time": _by_time(store, timed, protocols),
        **judged,
        "others": {
            name: {"training": trainings(store, {name: one})[0], "recipe": recipe_of({name: one})}
            | {"dataset": str(datasets[name])}
            | _judged(store, {name: one}, protocols)
            for name, one in others.items()
        },
    }
    seeds = {name: one.recipe.train.seed for name, one in models.items()}
    said = unlike(metrics(store, models, protocols, steps=False), seeds)
    return found | {"missing": [*missing(found, [*unfinished, *unfinished_others]), *said]}


def data(dataset: Dataset) -> dict[str, Any]:
    """Returns what a dataset holds and covers."""
    manifest, plan = dataset.manifest, dataset.manifest.plan
    frames, stored = manifest.total("frames"), manifest.total("bytes")
    return {
        "name": dataset.name,
        "version": manifest.version,
        "episodes": {split: manifest.total("episodes", split) for split in SPLITS},
        "steps_of_an_episode": plan.steps,
        "frames": frames,
        "a_frame_every": plan.frame_every,
        "image_size": list(manifest.image_size),
        "world_options": {name: value for name, value in plan.world_options.items() if name != "image_size"},
        "policy": dict(plan.policy),
        "factors_held_out": [factor.name for factor in WORLDS.get(plan.world).world_spec.factors if factor.held_out],
        "seed": plan.seed,
        "codec": plan.codec,
        "bytes": stored,
        "bytes_a_frame": rounded(stored / frames),
        "digest": manifest.reference.digest[:16],
        "code": manifest.code_version,
        "coverage": dataset_coverage(dataset),
    }


def missing(found: Mapping[str, Any], unfinished: Sequence[str]) -> list[str]:
    """Returns in words what is not there: trainings, whole tables, curves, and rows that lack a training."""
    said = [f"model {name} is not finished" for name in unfinished]
    for table in ("planning", "probing", "surprise"):
        rows = found[table]
        if not rows:
            said.append(f"{table} was not judged")
        figures = [figure for row in rows for figure in row.values() if isinstance(figure, dict) and "seeds" in figure]
        lacking = sorted({seed for figure in figures for seed, value in figure["seeds"].items() if value is None})
        said += [f"some figures of {table} of training seed {seed}" for seed in lacking]
    if not found["success_by_time"]:
        said.append("success against training time: no checkpoint was judged")
    return said


def written(found: Mapping[str, Any]) -> str:
    """Returns the document, indented, each figure and each list of numbers in one line."""
    text = json.dumps(_flat(found), indent=1, sort_keys=True, ensure_ascii=False)
    return re.sub(r'"\\u0000(.*?)\\u0000"', lambda match: match[1].replace('\\"', '"'), text) + "\n"


def _judged(store: Store, models: Mapping[str, ModelManifest], protocols: Sequence[str]) -> dict[str, Any]:
    rows = metrics(store, models, protocols, steps=False)
    seeds = {name: one.recipe.train.seed for name, one in models.items()}
    return {
        "planning": planning_table(rows, seeds),
        "probing": probing_table(rows, seeds),
        "surprise": surprise_table(rows, seeds),
    }


def _by_time(store: Store, models: Mapping[str, ModelManifest], protocols: Sequence[str]) -> list[dict[str, Any]]:
    steps = metrics(store, models, protocols, steps=True)
    return success_by_time(steps, metrics(store, models, protocols, steps=False), models)


def _flat(value: Any) -> Any:
    """Returns the document with what stands in one line as text between marks, which `written` takes off."""
    if isinstance(value, Mapping) and "seeds" in value:
        return f"\0{json.dumps(value, sort_keys=True)}\0"
    if isinstance(value, Mapping):
        return {key: _flat(one) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    if all(one is None or isinstance(one, int | float | list) for one in value):
        return f"\0{json.dumps(value)}\0"
    return [_flat(one) for one in value]


if __name__ == "__main__":
    main()
