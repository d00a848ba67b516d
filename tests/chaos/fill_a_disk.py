"""Collects on a disk that is nearly full, then on one with room: `python -m tests.chaos.fill_a_disk FOLDER`."""

import sys
from pathlib import Path

from infra.errors import InfraError
from infra.storage import open_store
from pipelines.collect import collect
from pipelines.store import DatasetHandle, verify
from tests.chaos.slow import dataset_digest
from tests.pipelines.small_dataset import small_config

ROOM = 60_000
"""Bytes left at first: enough for some of the shards."""


def main(folder: Path) -> None:
    """Prints the error of the first run, what it left, and the digest after the second."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                continue
        except OSError:
            file.truncate(file.tell() - ROOM)
    store = open_store(str(folder / "store"))
    try:
        collect(small_config(retries=0), store)
    except InfraError as error:
        print(error)
    print(len(store.list("datasets/small/completed/")), store.exists("datasets/small/manifest.json"))
    filler.unlink()
    collect(small_config(), store)
    print(verify(DatasetHandle(store, "small")).ok, dataset_digest(store))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
