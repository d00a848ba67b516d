"""Manifests of datasets, models, report units and runs, as a stranger's store holds them."""

import tempfile
from pathlib import Path

from infra.storage import open_store
from pipelines.store import DatasetHandle
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.reports import committed_units, plan_run, run_plans, write_tables
from tests.fuzz.harness import Target, run_by_hand
from tests.pipelines.reports import synthetic
from tests.pipelines.small_dataset import small_dataset
from tests.pipelines.store.test_model_handle import committed


def target() -> Target:
    """Returns the target: an input is one document behind a letter that says which."""
    with tempfile.TemporaryDirectory() as folder:
        whole = open_store(folder)
        small_dataset(whole, episodes=20, steps=5, image_size=16)
        committed(whole, 1)
        write_tables(whole, {"metrics": synthetic.surprise_metrics()}, "unit", synthetic.context())
        plan_run(whole, "run", ["unit"], {})
        fixed = ("datasets/small/manifest.json", "models/m0/config.json", "reports/manifests/unit.json")
        paths = (*fixed, whole.list("reports/runs/run/")[0])
        examples = tuple(b"%d" % number + whole.read(path) for number, path in enumerate(paths))

    def read(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(str(Path(folder)))
            number = data[0] % len(paths) if data else 0
            store.write(paths[number], data[1:])
            readers = (DatasetHandle(store, "small").manifest, ModelHandle(store, "m0").manifest)
            (*readers, lambda: committed_units(store), lambda: run_plans(store))[number]()

    return Target(examples, read)


if __name__ == "__main__":
    run_by_hand(target())
