"""Report files that this process has read and compared with their digests: they cannot change, and are read once."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

import pyarrow as pa

BYTES = 256 * 2**20
"""What is held at most; what was asked for longest ago goes first."""


class HeldTables:
    """Arrow tables by what names their content; threads share it."""

    def __init__(self, limit: int = BYTES) -> None:
        """Takes how many bytes of tables are held at most."""
        self._limit, self._bytes = limit, 0
        self._tables: OrderedDict[Hashable, pa.Table] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> pa.Table | None:
        """Returns the table of a key, None where it is not held."""
        with self._lock:
            if key in self._tables:
                self._tables.move_to_end(key)
            return self._tables.get(key)

    def hold(self, key: Hashable, table: pa.Table) -> None:
        """Holds a table, and lets go of others where there is no room."""
        with self._lock:
            if key in self._tables or table.nbytes > self._limit:
                return
            self._tables[key] = table
            self._bytes += table.nbytes
            while self._bytes > self._limit:
                self._bytes -= self._tables.popitem(last=False)[1].nbytes
