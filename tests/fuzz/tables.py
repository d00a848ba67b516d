"""Parquet files of report rows and of a dataset's index whose digests are right, for a stranger wrote both."""

import tempfile

from infra.storage import open_store
from jepa.core.episodes import SPLITS
from pipelines.store import Dataset
from pipelines.store.reports import write_tables
from pipelines.store.reports.tables import Piece, read_parts
from pipelines.store.sealed import sha256
from tests.fuzz.harness import Target, run_by_hand
from tests.pipelines.reports import synthetic
from tests.pipelines.small_dataset import small_dataset


def target() -> Target:
    """Returns the target."""
    folder = tempfile.mkdtemp()
    store = open_store(folder)
    dataset = small_dataset(store, episodes=20, steps=5, image_size=16)
    unit = write_tables(store, {"metrics": synthetic.surprise_metrics()}, "unit", synthetic.context())
    index = "datasets/small/versions/000001/chunks.parquet"
    examples = (store.read(index), store.read(unit.parts[0].path))

    def read(data: bytes) -> None:
        store.write(index, data)
        files = {**dataset.manifest.files, "chunks.parquet": sha256(data)}
        if b"first_frame" in data:
            opened = Dataset(store, "small", manifest=dataset.manifest.model_copy(update={"files": files}))
            for split in SPLITS:
                opened.chunk_table(split)
        else:
            store.write(unit.parts[0].path, data)
            read_parts([Piece(unit.parts[0].path, sha256(data))], store.uri, "metrics")

    return Target(examples, read)


if __name__ == "__main__":
    run_by_hand(target())
