"""Reads the report tables as Dask frames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from infra.errors import InfraError
from infra.processes.pool import ThreadPool
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.reports.held import HeldTables
from pipelines.store.reports.rows import from_parquet, to_pandas, wanted_schema
from pipelines.store.reports.runs import units_of_run
from pipelines.store.reports.schema import SchemaError, table_schema
from pipelines.store.reports.units import UnitManifest, committed_units
from pipelines.store.sealed import read_if_there, sha256

if TYPE_CHECKING:
    import dask.dataframe as dd

PARTS_PER_PARTITION = 64
"""A unit's file is small; many of them make a partition that is worth a Dask task, a frame and the start of threads."""
SHIFTS_TABLE = "shifts"
_HELD = HeldTables()
READERS = 16
"""Threads that read files: what is waited for is an object store's latency, not its bandwidth."""


class ReportFileGoneError(InfraError):
    """A file that a manifest named is gone: lost, or replaced since the manifest was read."""


def read_table(
    store: Store | str,
    table: str,
    columns: Sequence[str] | None = None,
    run: str | None = None,
    units: Sequence[UnitManifest] | None = None,
    kinds: Sequence[str] | None = None,
    checkpoints: bool = False,
    shifts: bool = False,
) -> "dd.DataFrame":
    """Returns a table of the store as a Dask DataFrame with the fixed schema, however many files there are, even none.

    Args:
        store: a store or its URI.
        table: `metrics`, `training`, or one that an evaluation declares, such as `episodes` or `predictions`.
        columns: those to read; all by default. Dask also leaves out of itself what a query does not use.
        run: read the units of this run alone.
        units: read these units alone.
        kinds: leave out files that hold no row of these kinds of evaluation; rows of others may still be among those of
            older code.
        checkpoints: also those of checkpoints, which have a `training_step`; they are no figures of the model itself.
        shifts: also those of shifted datasets, which have a `factor`: no figures of the model in its own world. The
            table `shifts` holds nothing else, and is read in any case.

    Raises:
        InputError: there is no such table or column.
    """
    import dask.dataframe as dd  # workers write tables and never read them: they are spared its import

    store = open_store(store) if isinstance(store, str) else store
    names = table_schema(table).names
    if unknown := [column for column in columns or () if column not in names]:
        raise InputError(f"column {unknown[0]!r} is not in report table {table!r}; choose from: {', '.join(names)}")
    if units is None:
        units = committed_units(store) if run is None else units_of_run(store, run)
    if kinds is not None:
        units = [unit for unit in units if unit.may_be_of(kinds)]
    if not checkpoints:
        units = [unit for unit in units if unit.training_step is None]
    if not (shifts or table == SHIFTS_TABLE):
        units = [unit for unit in units if unit.factor is None]
    parts = [(part.path, part.expected) for unit in units for part in unit.parts if part.table == table]
    partitions = [parts[i : i + PARTS_PER_PARTITION] for i in range(0, len(parts), PARTS_PER_PARTITION)] or [[]]
    meta = to_pandas(table_schema(table).empty_table())
    frame: dd.DataFrame = dd.from_map(read_parts, partitions, uri=store.uri, table=table, columns=None, meta=meta)
    chosen: dd.DataFrame = frame if columns is None else frame[list(columns)]
    return chosen


def read_parts(
    parts: Sequence[tuple[str, str]], uri: str, table: str, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Returns some files of a table as one pandas frame; a Dask worker calls it, on whatever machine it runs.

    Args:
        parts: path of each file and the first digits of its digest, as many as are known.
        uri: of the store.
        table: that the files are of.
        columns: those to read; all by default.

    Raises:
        InfraError: a file is lost, damaged or of another schema.
    """
    store, schema = open_store(uri), wanted_schema(table, columns).to_string()

    def read(part: tuple[str, str]) -> pa.Table:
        path, digest = part
        key = store.uri, path, digest, schema
        if digest and (held := _HELD.get(key)) is not None:
            return held
        data = read_if_there(store, path)
        if data is None:
            raise ReportFileGoneError(
                f"report file {path} is gone: lost, or its unit was evaluated again meanwhile; read again, or evaluate "
                "again what is lost"
            )
        if not sha256(data).startswith(digest):
            raise InfraError(f"report file {path} is damaged: its digest is another one; evaluate again")
        try:
            found = from_parquet(data, table, columns)
            _HELD.hold(key, found)
            return found
        except SchemaError as error:
            raise InfraError(
                f"report file {path} is not as this code reads it: {error}; evaluate again, or read it with the code "
                "that wrote it"
            ) from error
        except (pa.ArrowException, OSError) as error:
            raise InfraError(f"report file {path} is damaged: it is no Parquet file; evaluate again") from error

    with ThreadPool(min(READERS, len(parts) or 1), "read-part") as pool:
        found = list(pool.map(read, parts))
    return to_pandas(pa.concat_tables(found) if found else wanted_schema(table, columns).empty_table())
