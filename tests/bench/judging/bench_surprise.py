"""What a trained model notices, how often nothing raises an alarm, and what sharing the untouched replays saves.

    python -m tests.bench.judging.bench_surprise --store runs --model two_room-demo-s0

The ratio is that of processor seconds: all perturbations and strengths as the evaluation replays them, from the event
on and beside untouched replays that they share, over each of them replayed whole beside its own untouched twin.
"""

import argparse
import time
from itertools import groupby
from typing import Any

import torch

from infra.storage import open_store
from jepa.evaluation import EvaluationResult, get_protocol
from jepa.evaluation.kinds.surprise.config import SurpriseConfig
from jepa.evaluation.kinds.surprise.replays import replaying
from jepa.evaluation.kinds.surprise.scoring import ONE_STEP, latents, surprises
from jepa.evaluation.kinds.surprise.twins import twins
from jepa.models.world_model import WorldModel
from jepa.worlds.registry import WORLDS
from pipelines.store import Dataset, open_dataset, resolve_dataset
from pipelines.store.models.manifest import read_model, resolve_model
from tests.bench.record import record

EPISODES = 50


def main() -> None:
    """Judges a stored model on its dataset and keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="runs")
    parser.add_argument("--model", default="two_room-demo-s0")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    store = open_store(arguments.store)
    manifest, model = read_model(store, resolve_model(store, arguments.model))
    dataset = open_dataset(store, resolve_dataset(store, manifest.dataset))
    evaluation = get_protocol(WORLDS.get(dataset.world).world_spec.protocol).evaluation("surprise")
    figures: dict[str, Any] = {"model": arguments.model, "version": type(evaluation).version, "evaluation_seed": 0}
    for split in evaluation.units(dataset):
        figures[split] = noticed(evaluation.run(split, model, dataset, seed=0))
    record("surprise", figures | {"cost": shared_over_whole(model, dataset)})


def noticed(result: EvaluationResult) -> dict[str, Any]:
    """Returns the raw one-step figures of a split: false alarms, and of each perturbation what notices it."""
    found: dict[str, Any] = {}
    for row in result.metrics:
        if (row["score"], row["blocks_ahead"]) != ONE_STEP or row["metric"].startswith("surprise_"):
            continue
        figure = {"value": row["value"], "ci_low": row["ci_low"], "ci_high": row["ci_high"], "n": row["n"]}
        figure = {name: None if value != value else value for name, value in figure.items()}
        place = found if row["shift"] is None else found.setdefault(row["shift"], {})
        place[row["metric"]] = figure if row["unit"] == "1" else figure | {"unit": row["unit"]}
    return found


def shared_over_whole(model: WorldModel, dataset: Dataset) -> dict[str, float]:
    """Returns processor seconds of both ways for the same episodes, and their ratio."""
    perturbations = WORLDS.get(dataset.world).world_spec.perturbations
    _, alike = next(groupby(dataset.episodes("test", limit=EPISODES), key=lambda one: one.steps))
    episodes, frameskip, config = list(alike), model.config.frameskip, SurpriseConfig()
    blocks = episodes[0].steps // frameskip

    def shared() -> None:
        twins(model, dataset, episodes, perturbations, config, seed=0, shown=0)

    def whole() -> None:
        replays = sum(len({*one.strengths, one.strength}) for one in perturbations)
        for _ in range(2 * replays):
            with replaying(episodes, dataset.world, dataset.world_options, frameskip, event=blocks) as own:
                replay = own.untouched()
            surprises(model, latents(model, replay.pixels_NTHWC), replay.action_NTKA)

    shared()
    seconds = {name: _seconds(work) for name, work in (("shared", shared), ("whole", whole))}
    return {**seconds, "ratio": seconds["shared"] / seconds["whole"]}


def _seconds(work: Any) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
