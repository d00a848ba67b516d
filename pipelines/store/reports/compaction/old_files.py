"""The rows of units as they lie in a store before a compaction, compared with their digests before they are used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.storage import Store
from pipelines.store.reports.compaction.generation import CompactedFile
from pipelines.store.reports.manifest import Part
from pipelines.store.reports.units import misfit
from pipelines.store.sealed import read_if_there, sha256

if TYPE_CHECKING:
    import pyarrow as pa


class NotWholeError(Exception):
    """A file is not as it was committed; the message says which."""


class OldFiles:
    """The rows of parts as they lie in a store; a compacted file is read once."""

    def __init__(self, store: Store, files: Sequence[CompactedFile]) -> None:
        self._store = store
        self._digests = {file.path: file.sha256 for file in files}
        self._read: dict[str, pa.Table] = {}

    def rows(self, part: Part) -> "pa.Table":
        """Returns the rows of a part, with all columns of its file, also those that this code does not know.

        Raises:
            NotWholeError: the file is lost or damaged, or not of its table.
        """
        from pipelines.store.parquet import read_parquet

        if part.place is not None:
            return self.compacted(part.place.path).slice(part.place.first, part.rows)
        data = read_if_there(self._store, part.path)
        if data is None or not part.fits(data):
            raise NotWholeError(f"{self._store.address(part.path)} is {'lost' if data is None else 'damaged'}")
        if wrong := misfit(part, data):
            raise NotWholeError(f"{self._store.address(part.path)} is damaged ({wrong})")
        table = read_parquet(data)
        if len(table) != part.rows:
            raise NotWholeError(f"{self._store.address(part.path)} has {len(table)} rows, and not {part.rows}")
        return table

    def compacted(self, path: str) -> "pa.Table":
        """Returns all rows of a compacted file; raises as `rows` does."""
        from pipelines.store.parquet import read_parquet

        if path not in self._read:
            self._read[path] = read_parquet(self._whole(path))
        return self._read[path]

    def check(self, path: str) -> None:
        """Reads a compacted file, keeps nothing of it, and raises as `rows` does."""
        self._whole(path)

    def _whole(self, path: str) -> bytes:
        data = read_if_there(self._store, path)
        if data is None or sha256(data) != self._digests[path]:
            raise NotWholeError(f"{self._store.address(path)} is {'lost' if data is None else 'damaged'}")
        return data
