"""How programs that know nothing of us read a table: which files, and which rows of them do not count any more."""

from collections.abc import Sequence

from infra.storage import Store
from jepa.core.config import Config
from pipelines.store.reports.manifest import Part, UnitManifest
from pipelines.store.reports.schema import SHIFTS_TABLE, table_columns
from pipelines.store.reports.units import committed_at_once


class FileOfTable(Config):
    """A file that holds rows of a table."""

    address: str
    rows: int
    """that are not superseded; those of shifted datasets and of checkpoints are among them"""
    superseded: int = 0
    """that do not: their unit was evaluated again, or removed"""
    dead: tuple[tuple[int, int], ...] = ()
    """the first of the rows that do not count, and the one after the last, from 0 on"""


class TableView(Config):
    """A table as it is at this moment."""

    table: str
    files: tuple[FileOfTable, ...]
    sql: str
    """what DuckDB reads each row of the table once with, those alone that were asked for; a file of it that is gone by
    then makes it fail"""


def view_of(store: Store, table: str, *, checkpoints: bool = True, shifts: bool = True) -> TableView:
    """Returns the files of a table, and the query that reads each row once.

    Args:
        store: the store.
        table: whose rows are wanted.
        checkpoints: also those of checkpoints, which have a `training_step`; see `read_table`.
        shifts: also those of shifted datasets, which have a `factor`; the table `shifts` holds nothing else.

    Raises:
        InputError: there is no such table.
        InfraError: a manifest, or the index of what is compacted, is damaged.
    """
    columns = [column.name for column in table_columns(table)]
    by_file: dict[str, list[Part]] = {}
    wanted: set[str] = set()
    beside: dict[str, set[str]] = {}
    units, compacted = committed_at_once(store)
    for unit in units:
        others = _left_out(unit, checkpoints, shifts or table == SHIFTS_TABLE)
        for part in unit.parts:
            if part.table == table:
                path = part.path if part.place is None else part.place.path
                by_file.setdefault(path, []).append(part)
                beside.setdefault(path, set()).update(others)
                wanted |= set() if others else {path}
    # Of the same moment as the units: by the next generation's sizes the dead rows of this one's files would count.
    sizes = {} if compacted is None else {file.path: file.rows for file in compacted.generation.files}
    files = tuple(_file(store, path, by_file[path], sizes.get(path)) for path in sorted(wanted))
    return TableView(
        table=table, files=files, sql=_sql(files, columns, sorted(set().union(*(beside[path] for path in wanted))))
    )


def _left_out(unit: UnitManifest, checkpoints: bool, shifts: bool) -> set[str]:
    """Returns the columns for whose values the rows of a unit are left out."""
    of_checkpoint = {"training_step"} if unit.training_step is not None and not checkpoints else set()
    return of_checkpoint | ({"factor"} if unit.factor is not None and not shifts else set())


def _file(store: Store, path: str, parts: list[Part], size: int | None) -> FileOfTable:
    """Returns a file with the ranges of its rows that are of none of the parts; `size` is how many it has in all."""
    rows = sum(part.rows for part in parts)
    spans = sorted((part.place.first, part.place.first + part.rows) for part in parts if part.place is not None)
    dead, done = [], 0
    for first, end in (*spans, *([(size, size)] if size is not None else [])):
        if first > done:
            dead.append((done, first))
        done = max(done, end)
    superseded = sum(end - first for first, end in dead)
    return FileOfTable(address=store.address(path), rows=rows, superseded=superseded, dead=tuple(dead))


def _sql(files: tuple[FileOfTable, ...], columns: list[str], null: Sequence[str]) -> str:
    """Returns a query of DuckDB; a table without files has no rows, and no types either.

    Args:
        files: to be read.
        columns: of the table.
        null: columns, each in some of the files, in which no row that is wanted has a value.
    """
    if not files:
        return "SELECT " + ", ".join(f'NULL AS "{name}"' for name in columns) + " WHERE false"
    listed = ", ".join(_text(file.address) for file in files)
    dead = " OR ".join(
        f"(filename = {_text(file.address)} AND file_row_number >= {first} AND file_row_number < {end})"
        for file in files
        for first, end in file.dead
    )
    source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false"
    wanted = [f'"{name}" IS NULL' for name in null]
    if not dead:
        return " WHERE ".join([f"SELECT * FROM {source})", *([" AND ".join(wanted)] if wanted else [])])
    numbered = f"{source}, filename = true, file_row_number = true)"
    condition = " AND ".join([f"NOT ({dead})", *wanted])
    return f"SELECT * EXCLUDE (filename, file_row_number) FROM {numbered} WHERE {condition}"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
