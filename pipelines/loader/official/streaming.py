"""mosaicml-streaming's `StreamingDataset`, which reads MDS."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.environment import applied_environment
from infra.settings import S3Settings
from infra.storage.local import LocalStore
from pipelines.loader.official.reader import OfficialLoader, check_launched
from pipelines.loader.open import LOADERS
from pipelines.store.formats.container import StoredChunk

STATE = "state/"
SHARED_MEMORY = Path("/dev/shm")


@LOADERS.register("streaming")
class StreamingLoader(OfficialLoader):
    """Shuffles and shares out samples as streaming does; copies of shards from S3 are not under our limit."""

    kind = "streaming"
    container = "mds"
    _reader: Any = None

    def samples(self, epoch: int) -> Iterator[StoredChunk]:
        if self._reader is None:
            self._reader = self._open()
        self._reader.next_epoch = epoch
        for sample in self._reader:
            yield _chunk(sample)

    def close(self) -> None:
        super().close()
        if self._reader is not None:
            _end_threads(self._reader)
            number, self._reader = int(self._reader._shm_prefix_int), None
            if os.environ.get("LOCAL_RANK", "0") == "0":
                _clear(number)

    def _open(self) -> Any:
        from streaming import StreamingDataset
        from streaming.base.util import clean_stale_shared_memory

        check_launched(self.kind, self._rank, self._world_size)
        # What a killed process has left would be taken for that of another job.
        clean_stale_shared_memory()
        # It knows the server by a variable of its own.
        with applied_environment(S3Settings.from_environment().environment()):
            return StreamingDataset(**self._where(), batch_size=self._clips, shuffle=True, shuffle_seed=self._seed)

    def _where(self) -> dict[str, Any]:
        store = self._dataset.store
        folder = store.address(self._dataset.shard_path(self._table, 0).rpartition("/")[0])
        if isinstance(store, LocalStore):
            return {"local": folder}
        name = hashlib.sha256(f"{folder} {self._dataset.manifest.plan_digest}".encode()).hexdigest()[:16]
        return {"remote": folder, "local": str(self._config.cache_path().parent / "streaming" / name)}


def _end_threads(reader: Any) -> None:
    """Ends what fetches ahead, which would make a lock that is removed again."""
    if hasattr(reader, "_iterator"):
        reader._iterator.non_blocking_exit()
        reader._executor.shutdown()


def _clear(number: int) -> None:
    """Removes what a reader keeps until its process ends: names in shared memory, and locks in the temporary folder."""
    for folder in (SHARED_MEMORY, Path(tempfile.gettempdir())):
        for path in folder.glob(f"{number:06d}_*"):
            path.unlink(missing_ok=True)


def _chunk(sample: dict[str, Any]) -> StoredChunk:
    plain = {name: sample[name] for name in ("episode", "first_frame", "frames", "height", "width", "pixels", "action")}
    state = {name.removeprefix(STATE): values for name, values in sample.items() if name.startswith(STATE)}
    return StoredChunk(**plain, state=state)
