"""What probes read of Two-Room from latents, predictions and baselines, and what the evaluation costs.

`python -m tests.bench.judging.bench_probing --store DIR` evaluates `probing` of a model of the store in this process,
and keeps R² by what was read, with intervals over episodes. The order true state ≥ encoder ≥ predictions 1 … 5 ≥
baselines is tried on pairs: both are read of the same frames, and the difference of their R² has an interval of its
own.
"""

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from infra.storage import open_store
from jepa.evaluation import ProbingConfig, ProbingEvaluation, get_protocol
from jepa.evaluation.evaluation import Row
from jepa.evaluation.statistics import bootstrap_mean
from pipelines.store import open_dataset, resolve_dataset
from pipelines.store.models import load_model
from tests.bench.record import record

KEYS = ("latents", "frames", "blocks_ahead", "probe")
ENDS = ("value", "ci_low", "ci_high")
CHAIN = ["state", *(f"prediction {ahead} ahead" for ahead in range(6))]
"""What should be read less and less well; 0 ahead are the encoder's latents of the same frames."""
FLOORS = ("pixels_pca", "untrained")


class Kept(ProbingEvaluation):
    """Keeps the squared errors of each compared frame, in variances of the targets, besides making rows of them."""

    def __init__(self, config: ProbingConfig, protocol: str) -> None:
        super().__init__(config, protocol)
        self.errors: dict[str, dict[str, dict[str, tuple[Any, Any]]]] = {}
        """by split, what was read and quantity: of each frame, and the frames' episodes"""

    def _metrics(self, model: Any, frames: Any, readers: Any, labels: Row) -> Iterator[Row]:
        own = self.errors.setdefault(labels["split"], {})
        for judged, read_NQ in self._judged(model, frames, readers, labels["seed"]):
            name = f"{judged.latents}{f' {judged.ahead} ahead' if judged.latents == 'prediction' else ''}"
            if judged.reader.name == "linear" and judged.reader.frames == 1:
                true_NQ = judged.sample.true_ND
                error_NQ = (read_NQ - true_NQ) ** 2 / true_NQ.var(0)
                columns = judged.reader.targets.columns.items()
                own[name] = {one: (error_NQ[:, place].mean(1), judged.sample.group_N) for one, place in columns}
        return super()._metrics(model, frames, readers, labels)


def main() -> None:
    """Evaluates, and writes `results/probing_two_room.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True, help="folder or address of a store with the demo's model")
    parser.add_argument("--model", default="two_room-demo-s0")
    parser.add_argument("--dataset", default="two_room-demo-s0")
    parser.add_argument("--protocol", default="two-room-v1")
    parser.add_argument("--repeats", type=int, default=3, help="of the evaluation, of which the fastest is kept")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    store = open_store(arguments.store)
    dataset = open_dataset(store, resolve_dataset(store, arguments.dataset))
    model = load_model(store, arguments.model)
    settings = get_protocol(arguments.protocol).settings("probing").model_dump()
    bare = {"blocks_ahead": 0, "baseline_frames": 0}
    spent: dict[str, list[float]] = {}
    for _ in range(arguments.repeats):
        for name, changes in (("the encoder's latents alone", bare), ("with predictions and baselines", {})):
            config = ProbingConfig.model_validate(settings | changes)
            started = time.process_time()
            ProbingEvaluation(config, arguments.protocol).run("probes", model, dataset, 0)
            spent.setdefault(name, []).append(time.process_time() - started)
    kept = Kept(ProbingConfig.model_validate(settings), arguments.protocol)
    rows = kept.run("probes", model, dataset, 0).metrics
    figures: dict[str, Any] = {
        "model": f"{arguments.model}, {arguments.protocol}, evaluation seed 0",
        "seconds of one core": {name: round(min(times), 2) for name, times in spent.items()},
        "R²: value, ends of the 95 % interval, episodes": tables(rows),
        "R² lost from one to the next, ends of the 95 % interval, episodes": {
            split: {quantity: dict(steps(errors, quantity)) for quantity in errors["state"]}
            for split, errors in kept.errors.items()
        },
    }
    record("probing_two_room", figures)


def tables(rows: list[Row]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Returns R² by split, by what was read and by quantity."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for row in rows:
        if row["metric"] == "r2":
            own = found.setdefault(row["split"], {}).setdefault(words(row), {})
            own[row["quantity"]] = [*(round(float(row[end]), 4) for end in ENDS), row["n"]]
    return found


def words(row: Row) -> str:
    """Returns what was read of a row."""
    latents, frames, ahead, probe = (row[key] for key in KEYS)
    several = f" {frames} frames" if frames > 1 else ""
    return f"{latents}{several}{f' {ahead} ahead' if latents == 'prediction' else ''}, {probe}"


def steps(errors: dict[str, dict[str, tuple[Any, Any]]], quantity: str) -> Iterator[tuple[str, list[float]]]:
    """Yields how much less of a quantity each is read than the one before it in the order, by the linear probe."""
    pairs = [*pairwise(CHAIN), *((CHAIN[-1], floor) for floor in FLOORS)]
    for better, worse in pairs:
        (before_N, episode_N), (after_N, _) = errors[better][quantity], errors[worse][quantity]
        groups, sizes = np.unique(episode_N, return_counts=True)
        sums_G = np.array([(after_N - before_N)[episode_N == group].sum() for group in groups])
        # Of frames, and not of episodes: an episode with more of them counts for more.
        lost = bootstrap_mean(sums_G / sizes.mean(), seed=0)
        yield f"{better} → {worse}", [*(round(end, 4) for end in (lost.value, lost.low, lost.high)), lost.n]


if __name__ == "__main__":
    main()
