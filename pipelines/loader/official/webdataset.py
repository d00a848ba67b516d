"""webdataset's `WebDataset`, which reads tar archives from their beginning to their end."""

from collections.abc import Iterator
from typing import Any

from infra.storage.local import LocalStore
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, python_generator
from pipelines.loader.official.reader import OfficialLoader
from pipelines.loader.open import LOADERS
from pipelines.store.formats.container import StoredChunk
from pipelines.store.formats.webdataset_s3 import register_s3

SHARDS = 100
"""Shards that are shuffled among each other."""
SAMPLES = 64
"""Samples that are."""
PREFIX, SUFFIX = "state.", ".npy"


@LOADERS.register("webdataset")
class WebDatasetLoader(OfficialLoader):
    """Each worker reads shards of its own: there must be as many shards as workers."""

    kind = "webdataset"
    container = "webdataset"

    def samples(self, epoch: int) -> Iterator[StoredChunk]:
        from webdataset import WebDataset

        register_s3()
        urls = self._urls()
        seed = derive_seed(self._seed, "webdataset", epoch) % 2**31
        # We share out the shards ourselves, for its own splitters ask torch.distributed or refuse.
        reader = WebDataset(urls, shardshuffle=SHARDS, seed=seed, nodesplitter=None, workersplitter=None)
        for sample in reader.shuffle(SAMPLES, rng=python_generator(seed)).decode():
            yield _chunk(sample)

    def _urls(self) -> list[str]:
        shards, store = self._table.shards, self._dataset.store
        if len(shards) < self._world_size:
            raise InputError(
                f"loader.kind 'webdataset' gives each worker shards of its own, and split {self._split!r} has "
                f"{len(shards)} for {self._world_size} workers; take fewer workers or `native`"
            )
        first = {int(shard): row for row, shard in reversed(list(enumerate(self._table.shard)))}
        paths = [self._dataset.shard_path(self._table, first[shard]) for shard in range(len(shards))]
        mine = paths[self._rank :: self._world_size]
        scheme = "file:" if isinstance(store, LocalStore) else ""
        return [f"{scheme}{store.address(path)}" for path in mine]


def _chunk(sample: dict[str, Any]) -> StoredChunk:
    state = {
        name.removeprefix(PREFIX).removesuffix(SUFFIX): values
        for name, values in sample.items()
        if name.startswith(PREFIX)
    }
    pixels = next(data for name, data in sample.items() if name.startswith("pixels."))
    return StoredChunk(**sample["chunk.json"], pixels=pixels, action=sample["action.npy"], state=state)
