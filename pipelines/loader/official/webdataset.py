"""webdataset's `WebDataset`, which reads tar archives from their beginning to their end."""

from collections.abc import Iterator
from typing import Any

from infra.storage.local import LocalStore
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, python_generator
from pipelines.loader.loader import LOADERS
from pipelines.loader.official.official_loader import OfficialLoader
from pipelines.store.formats.container import StoredChunk
from pipelines.store.formats.webdataset_s3 import register_s3

SHARDS = 100
"""Shards that are shuffled among each other."""
CHUNKS = 64
"""Chunks that are shuffled among each other."""
PREFIX, SUFFIX = "state.", ".npy"


@LOADERS.register("webdataset")
class WebDatasetLoader(OfficialLoader):
    """Each worker reads shards of its own: there must be as many shards as workers."""

    kind = "webdataset"
    container = "webdataset"

    def read_chunks(self, epoch: int) -> Iterator[StoredChunk]:
        from webdataset import WebDataset

        register_s3()
        urls = self._urls()
        seed = derive_seed(self.request.seed, "webdataset", epoch) % 2**31
        # We share out the shards ourselves, for its own splitters ask torch.distributed or refuse.
        reader = WebDataset(urls, shardshuffle=SHARDS, seed=seed, nodesplitter=None, workersplitter=None)
        for sample in reader.shuffle(CHUNKS, rng=python_generator(seed)).decode():
            yield _chunk(sample)

    def _urls(self) -> list[str]:
        request, shards = self.request, self.table.shards
        if len(shards) < request.world_size:
            raise InputError(
                f"loader.kind 'webdataset' gives each worker shards of its own, and split {request.split!r} has "
                f"{len(shards)} for {request.world_size} workers; take fewer workers or `native`"
            )
        first = {int(shard): chunk for chunk, shard in reversed(list(enumerate(self.table.shard)))}
        paths = [request.dataset.shard_path(self.table, first[shard]) for shard in range(len(shards))]
        mine, store = paths[request.rank :: request.world_size], request.dataset.store
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
