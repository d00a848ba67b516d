"""Reads the report tables as Dask frames."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from infra.errors import InfraError
from infra.processes.pool import ThreadPool
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.reports.compaction.generation import REREADS
from pipelines.store.reports.compaction.index import read_compacted
from pipelines.store.reports.compaction.sweep import PART
from pipelines.store.reports.held import HeldTables
from pipelines.store.reports.manifest import Part, Place, UnitManifest
from pipelines.store.reports.rows import from_parquet, to_pandas, wanted_schema
from pipelines.store.reports.runs.results import units_of_run
from pipelines.store.reports.schema import SHIFTS_TABLE, SchemaError, table_schema
from pipelines.store.reports.units import committed_units, look, read_unit
from pipelines.store.sealed import read_if_there, sha256

if TYPE_CHECKING:
    import dask.dataframe as dd

PARTS_PER_PARTITION = 64
"""A unit's file is small; many of them make a partition that is worth a Dask task, a frame and the start of threads."""
ROWS_PER_PARTITION = 2**18
"""Rows of compacted files that make a partition at least."""
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
        units: read these units alone, as they are: one that is evaluated again before the frame is computed is an
            error. Without this the rows are read that stand by then.
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
    follow = units is None
    if units is None:
        units = committed_units(store) if run is None else units_of_run(store, run)
    if kinds is not None:
        units = [unit for unit in units if unit.may_be_of(kinds)]
    if not checkpoints:
        units = [unit for unit in units if unit.training_step is None]
    if not (shifts or table == SHIFTS_TABLE):
        units = [unit for unit in units if unit.factor is None]
    meta = to_pandas(table_schema(table).empty_table())
    partitions = _partitions([piece_of(part) for unit in units for part in unit.parts if part.table == table])
    frame: dd.DataFrame = dd.from_map(
        read_parts, partitions, uri=store.uri, table=table, columns=None, follow=follow, meta=meta
    )
    chosen: dd.DataFrame = frame if columns is None else frame[list(columns)]
    return chosen


class Piece(NamedTuple):
    """The rows of a part, wherever they lie."""

    path: str
    """of the part's own file"""
    digest: str = ""
    """the first digits of that file's digest, as many as are known"""
    rows: int = 0
    place: Place | None = None
    """where they lie once they are compacted"""

    @property
    def file(self) -> tuple[str, str]:
        """Returns the path of the file to read, and its digest."""
        return (self.path, self.digest) if self.place is None else (self.place.path, self.place.sha256)


def piece_of(part: Part) -> Piece:
    """Returns the rows of a part."""
    return Piece(part.path, part.expected, part.rows, part.place)


def _partitions(pieces: list[Piece]) -> list[list[Piece]]:
    """Returns the pieces in groups that are worth a task each; those of one compacted file stand together."""
    if len({piece.place.path for piece in pieces if piece.place is not None}) > 1:
        pieces = sorted(pieces, key=lambda piece: "" if piece.place is None else piece.place.path)
    groups: list[list[Piece]] = [[]]
    files: set[tuple[str, str]] = set()
    rows = 0
    for piece in pieces:
        if len(files | {piece.file}) > PARTS_PER_PARTITION or rows > ROWS_PER_PARTITION:
            groups.append([])
            files, rows = set(), 0
        groups[-1].append(piece)
        files.add(piece.file)
        rows += piece.rows
    return groups


def read_parts(
    parts: Sequence[Piece], uri: str, table: str, columns: Sequence[str] | None = None, follow: bool = False
) -> pd.DataFrame:
    """Returns some parts of a table as one pandas frame; a Dask worker calls it, on whatever machine it runs.

    A file that is gone because its rows were compacted since is no error: they are read where they lie now.

    Args:
        parts: where the rows of each lie.
        uri: of the store.
        table: that they are of.
        columns: those to read; all by default.
        follow: neither is one whose unit was evaluated again since: the rows that stand now are read. Who reads several
            tables of the same units must not, for they would be of different attempts.

    Raises:
        InfraError: a file is lost, damaged or of another schema.
    """
    store, pieces = open_store(uri), list(parts)
    files: dict[tuple[str, str], pa.Table] = {}
    for last in (*[False] * REREADS, True):
        wanted = list(dict.fromkeys(piece.file for piece in pieces if piece.file not in files))
        with ThreadPool(min(READERS, len(wanted) or 1), "read-part") as pool:
            found = zip(wanted, pool.map(lambda file: _read_file(store, *file, table, columns), wanted), strict=True)
            files |= {file: held for file, held in found if held is not None}
        gone = [piece for piece in pieces if piece.file not in files]
        if not gone:
            break
        moved = {} if last else _moved(store, gone, table, follow)
        if (last or not follow) and (lost := next((piece for piece in gone if piece.path not in moved), None)):
            raise ReportFileGoneError(
                f"report file {lost.file[0]} is gone: lost, or its unit was evaluated again meanwhile; read again, or "
                "evaluate again what is lost"
            )
        stand = [moved.get(piece.path, piece) if piece.file not in files else piece for piece in pieces]
        pieces = [piece for piece in stand if piece is not None]
    return to_pandas(_rows(pieces, files) if pieces else wanted_schema(table, columns).empty_table())


def _read_file(store: Store, path: str, digest: str, table: str, columns: Sequence[str] | None) -> pa.Table | None:
    """Returns some columns of a file; None where it is gone."""
    key = store.uri, path, digest, wanted_schema(table, columns).to_string()
    if digest and (held := _HELD.get(key)) is not None:
        return held
    data = read_if_there(store, path)
    if data is None:
        return None
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


def _moved(store: Store, gone: Sequence[Piece], table: str, follow: bool) -> dict[str, Piece | None]:
    """Returns, of pieces whose file is gone, those that lie in another one now, by their own files.

    With `follow` those of a unit that was evaluated again are the ones that stand now, and None those of one that was
    removed.
    """
    compacted = read_compacted(store)
    parts = {} if compacted is None else compacted.parts
    now = {piece: piece_of(parts[piece.path]) for piece in gone if piece.path in parts}
    moved: dict[str, Piece | None] = {piece.path: found for piece, found in now.items() if found.file != piece.file}
    return moved | _evaluated_again(store, [piece.path for piece in gone if piece not in now] if follow else [], table)


def _evaluated_again(store: Store, paths: Sequence[str], table: str) -> dict[str, Piece | None]:
    """Returns the pieces that took the places of some, by their files: None where there is none any more."""
    keys = {path: found["key"] for path in paths if (found := PART.fullmatch(path)) is not None}
    moved: dict[str, Piece | None] = {}
    for path, key in keys.items():
        if (unit := read_unit(store, key)) is not None:
            part = next((part for part in unit.parts if part.table == table), None)
            moved[path] = None if part is None else piece_of(part)
        elif look(store, key).standing(key) is None:
            moved[path] = None
    return moved


def _rows(pieces: Sequence[Piece], files: Mapping[tuple[str, str], pa.Table]) -> pa.Table:
    """Returns the rows of pieces, in their order."""
    order = list(dict.fromkeys(piece.file for piece in pieces))
    every = pa.concat_tables([files[file] for file in order])
    if all(piece.place is None for piece in pieces):
        return every
    starts = dict(zip(order, np.cumsum([0, *(len(files[file]) for file in order)]), strict=False))
    firsts = np.array([starts[piece.file] + (piece.place.first if piece.place else 0) for piece in pieces])
    counts = np.array([piece.rows for piece in pieces])
    # The rows of piece i are firsts[i], firsts[i] + 1, …
    rows = np.repeat(firsts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    if len(rows) == len(every) and (rows == np.arange(len(rows))).all():
        return every
    return every.combine_chunks().take(pa.array(rows))
