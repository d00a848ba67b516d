"""mosaicml-streaming's `StreamingDataset`, which reads MDS."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

from infra.processes.environment import applied_environment
from infra.settings import S3Settings
from infra.storage.local import LocalStore
from infra.storage.patience import PATIENT
from jepa.core.errors import InputError
from pipelines.loader.loader import LOADERS
from pipelines.loader.official.official_loader import OfficialLoader
from pipelines.loader.request import ClipRequest
from pipelines.store.formats.container import StoredChunk

STATE = "state/"
SHARED_MEMORY = Path("/dev/shm")
SILENCE_SECONDS = PATIENT.read
"""How long a server may be silent before its request counts as lost; streaming sends each of them up to nine times."""


@LOADERS.register("streaming")
class StreamingLoader(OfficialLoader):
    """Shuffles and shares out chunks as streaming does; its copies of shards from S3 are not under our limit."""

    kind = "streaming"
    container = "mds"
    _reader: Any = None

    def read_chunks(self, epoch: int) -> Iterator[StoredChunk]:
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

        check_launched(self.request)
        self._check_index()
        # What a killed process has left would be taken for another job's.
        clean_stale_shared_memory()
        # It knows the server by a variable of its own.
        with applied_environment(S3Settings.from_environment().environment()):
            return StreamingDataset(
                **self._where(),
                batch_size=len(self.request.slots),
                shuffle=True,
                shuffle_seed=self.request.seed,
                download_timeout=SILENCE_SECONDS,
            )

    def _check_index(self) -> None:
        """Passes where the index of the shards, which streaming follows by itself, names those of the manifest alone.

        Raises:
            InputError: it names another file, be it one outside the store.
        """
        dataset = self.request.dataset
        folder = dataset.shard_path(self.table, 0).rpartition("/")[0]
        try:
            entries = json.loads(dataset.store.read(f"{folder}/index.json"))["shards"]
            named = [entry[part]["basename"] for entry in entries for part in ("raw_data", "zip_data") if entry[part]]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{dataset.store.address(folder)}/index.json is no index of MDS shards; run jepa verify --repair"
            ) from error
        held = {path.rpartition("/")[2] for path in self.table.shards}
        for name in named:
            if name not in held:
                raise InputError(
                    f"{dataset.store.address(folder)}/index.json names {name!r}, which is no shard of the dataset; "
                    "run jepa verify --repair"
                )

    def _where(self) -> dict[str, Any]:
        dataset = self.request.dataset
        store = dataset.store
        folder = store.address(dataset.shard_path(self.table, 0).rpartition("/")[0])
        if isinstance(store, LocalStore):
            return {"local": folder}
        name = hashlib.sha256(f"{folder} {dataset.manifest.plan_digest}".encode()).hexdigest()[:16]
        return {"remote": folder, "local": str(self.request.config.cache_path().parent / "streaming" / name)}


def check_launched(request: ClipRequest) -> None:
    """Passes where RANK and WORLD_SIZE, by which streaming finds its share, agree with the request.

    Raises:
        InputError: they do not, and each worker would read everything.
    """
    found = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if found != (request.rank, request.world_size):
        raise InputError(
            f"loader.kind 'streaming' reads RANK and WORLD_SIZE, which say {found[0]} of {found[1]} and not "
            f"{request.rank} of {request.world_size}; launch the workers by torchrun or Ray Train, or take `native`"
        )


def _end_threads(reader: Any) -> None:
    """Ends its threads, which would otherwise make again a lock that was removed."""
    if hasattr(reader, "_iterator"):
        reader._iterator.non_blocking_exit()
        reader._executor.shutdown()


def _clear(number: int) -> None:
    """Removes what a reader keeps until its process ends: names in shared memory, and locks in the temporary folder."""
    for path in SHARED_MEMORY.glob(f"{number:06d}_*"):
        # Not by its path: Python's tracker of shared memory would miss it when the process ends, and say so.
        with suppress(FileNotFoundError):
            memory = SharedMemory(path.name)
            memory.close()
            memory.unlink()
    for path in Path(tempfile.gettempdir()).glob(f"{number:06d}_*"):
        path.unlink(missing_ok=True)


def _chunk(sample: dict[str, Any]) -> StoredChunk:
    plain = {name: sample[name] for name in ("episode", "first_frame", "frames", "height", "width", "pixels", "action")}
    state = {name.removeprefix(STATE): values for name, values in sample.items() if name.startswith(STATE)}
    return StoredChunk(**plain, state=state)
