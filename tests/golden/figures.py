"""What the house must reproduce to the digit after a refactoring: training curves, a dataset's bytes, a run's figures.

`python -m tests.golden.figures` computes all of it and writes the files beside this one. Do that only in a commit that
means to change numbers, and say in CHANGELOG.md which and why.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from infra.storage import Store, open_store
from jepa.training.trainer import TrainConfig
from pipelines.collect import CollectConfig, collect
from pipelines.evaluate import EvaluateConfig, evaluate
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.reports import read_table
from tests.jepa.training.test_distributed_training import CASES
from tests.jepa.training.toy import CONFIG, toy_clips, toy_trainer

FOLDER = Path(__file__).parent
PROTOCOL = FOLDER / "golden-v1.yaml"
STEPS = 50
LABELS = (
    *("split", "evaluation", "protocol", "planner", "probe", "latents", "frames", "blocks_ahead"),
    *("score", "seed", "shift", "quantity", "goal", "metric"),
)
"""Columns that tell the rows of `metrics` apart within a run."""
FIGURES = ("value", "n", "ci_low", "ci_high", "strength", "unit")
TIMED = ("plan_seconds", "clips_per_second", "checkpoint_seconds", "data_wait")
"""Figures that are another time's on another day."""


def training_curves() -> dict[str, dict[str, Any]]:
    """Returns, for each case, the loss of every step in double precision and a fingerprint of the last weights."""
    torch.set_num_threads(1)
    config = TrainConfig.model_validate(CONFIG.model_dump() | {"precision": "fp64"})
    curves = {}
    for case, toy in CASES.items():
        trainer = toy_trainer(config, **toy)
        losses = [trainer.step(toy_clips(16, seed=step))["loss"] for step in range(STEPS)]
        weights = torch.cat([weight.detach().flatten() for weight in trainer.objective.model.parameters()])
        pattern = torch.arange(1, len(weights) + 1, dtype=torch.float64).sin()
        curves[case] = {"loss": losses, "weights": [float(weights.norm()), float(weights @ pattern)]}
    return curves


def dataset_digests() -> dict[str, dict[str, str]]:
    """Returns the SHA-256 of each shard of a small Two-Room dataset, in both containers."""
    digests = {}
    for container in ("mds", "webdataset"):
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(folder)
            fields = {"steps": 30, "image_size": 32, "episodes_per_shard": 8, "chunk_frames": 12}
            work = {"executor": "local", "actors": 1}
            collect(CollectConfig(name="golden", episodes=40, format=container, **fields, **work), store)
            paths = [path for path in store.list("datasets/golden/shards/") if not path.endswith(".json")]
            digests[container] = {path: hashlib.sha256(store.read(path)).hexdigest() for path in paths}
    return digests


def write_run(store: Store) -> None:
    """Collects, pretrains in double precision and evaluates at the size `smoke`, in this process alone."""
    torch.set_num_threads(1)
    collect(
        CollectConfig(
            world="two_room",
            name="golden",
            episodes=40,
            steps=40,
            image_size=32,
            episodes_per_shard=8,
            test_share=0.2,
            executor="local",
            actors=1,
        ),
        store,
    )
    pretrain(
        PretrainConfig(
            dataset="golden", name="golden", recipe="smoke", precision="fp64", executor="local", workers=1, trackers=()
        ),
        store,
    )
    kinds = ("probing", "planning", "surprise", "latent", "decoding")
    asked = {"protocol": str(PROTOCOL), "kinds": kinds}
    evaluate(EvaluateConfig(model="golden", executor="local", workers=1, **asked), store)


def metric_rows(store: Store) -> dict[str, dict[str, Any]]:
    """Returns the figures of the run's `metrics` rows by their labels."""
    rows = {}
    for row in read_table(store, "metrics").compute().to_dict("records"):
        if row["metric"] not in TIMED:
            key = " ".join(f"{label}={row[label]}" for label in LABELS if not _is_missing(row[label]))
            rows[key] = {name: None if _is_missing(row[name]) else row[name] for name in FIGURES}
    return dict(sorted(rows.items()))


def _is_missing(value: Any) -> bool:
    return not isinstance(value, str) and (value is None or value != value or not isinstance(value, int | float))


def write(name: str, figures: Any) -> None:
    """Writes a file of figures; floats as their shortest exact text."""
    text = json.dumps(figures, indent=1, sort_keys=True, allow_nan=False)
    (FOLDER / f"{name}.json").write_text(text + "\n")


def held(name: str) -> Any:
    """Returns what a file of figures holds."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def main() -> None:
    """Writes all files again."""
    write("training_curves", training_curves())
    write("dataset_digests", dataset_digests())
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(sys.argv[1] if len(sys.argv) > 1 else folder)
        write_run(store)
        write("metric_rows", metric_rows(store))


if __name__ == "__main__":
    main()
