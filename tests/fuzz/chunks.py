"""Chunks of both containers and all lossless codecs whose digests are right, for a stranger wrote both."""

import tempfile

import numpy as np
import pyarrow as pa

from infra.storage import open_store
from pipelines.store import Dataset
from pipelines.store.datasets.index import ChunkTable
from pipelines.store.sealed import sha256
from tests.fuzz.harness import Target, run_by_hand
from tests.pipelines.small_dataset import small_dataset


def target() -> Target:
    """Returns the target: an input is one chunk behind a letter that says of which dataset."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        sets: list[tuple[Dataset, ChunkTable]] = []
        examples = []
        for container in ("mds", "webdataset"):
            for codec in ("zstd", "raw", "jpeg"):
                fields = {"episodes": 20, "steps": 5, "image_size": 16, "format": container, "codec": codec}
                dataset = small_dataset(store, name=f"{container}-{codec}", **fields)
                table = dataset.chunk_table("train")
                examples.append(b"%d" % len(sets) + dataset.read_records(table, np.array([0]))[0])
                sets.append((dataset, table))

    def read(data: bytes) -> None:
        dataset, table = sets[data[0] % len(sets) if data else 0]
        digests = [sha256(data[1:]), *table.sha256.to_pylist()[1:]]
        dataset.decode(ChunkTable(**{**vars(table), "sha256": pa.array(digests)}), 0, data[1:])

    return Target(tuple(examples), read)


if __name__ == "__main__":
    run_by_hand(target())
