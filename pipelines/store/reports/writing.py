"""Writes units of work: first the files of their rows, whose names hold a digest of their bytes, and last the manifest.

A unit can so be done again while the old files still serve, and changes over in one atomic step.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.store.reports.compaction.generation import REREADS, is_compacted
from pipelines.store.reports.manifest import Context, Name, Part, UnitManifest
from pipelines.store.reports.units import look, read_unit
from pipelines.store.reports.version import SCHEMA_VERSION
from pipelines.store.sealed import read_if_there, seal, sha256

if TYPE_CHECKING:
    from pipelines.store.reports.rows import Rows

Files = Mapping[str, bytes]


def write_tables(
    store: Store, tables: "Mapping[str, Rows]", key: str, context: Context, *, replace: bool = False
) -> UnitManifest:
    """Writes the tables of one unit of work and commits them together.

    Args:
        store: where to.
        tables: rows by table; a row holds the table's own columns (`schema.tables()`), optional ones may be left out.
        key: names the unit; the same key is the same unit, whose first commit stands.
        context: the columns that all rows share.
        replace: put this in the place of what is committed under the key.

    Returns:
        The manifest that stands in the store.

    Raises:
        SchemaError: a row has a column that the schema does not know, lacks one that it needs, or has a wrong type.
        InputError: the key has characters that a file name should not have, or a table is not known.
    """
    from pipelines.store.parquet import parquet_bytes
    from pipelines.store.reports.rows import to_arrow

    _check_key(key)
    shared = {**context.model_dump(), "schema_version": SCHEMA_VERSION}
    files = {table: parquet_bytes(to_arrow(table, rows, shared)) for table, rows in tables.items()}
    kinds = frozenset(str(row.get("evaluation")) for row in tables.get("metrics", ()))
    counts = {table: len(rows) for table, rows in tables.items()}
    facts = {"key": key, "schema_version": SCHEMA_VERSION, "kinds": kinds, **context.model_dump()}

    def unit(name: Name) -> UnitManifest:
        """Returns the manifest of a name, whose files no other one of the key names."""
        parts = []
        for table, data in files.items():
            digest = sha256(data)
            parts.append(Part(table=table, path=name.part(table, digest), rows=counts[table], sha256=digest))
        return UnitManifest(parts=tuple(parts), revision=name.revision, token=name.token, **facts)

    if not is_compacted(store):
        first = unit(Name(1, "", key))
        held = _write_alone(store, first, _by_path(first, files), replace)
        # Who began to compact the store meanwhile may not have seen a manifest that took another's place.
        if not is_compacted(store) or (held is not None and not replace):
            return held or first
    before = read_unit(store, key)
    if before is not None and not replace:
        return before
    return _write_beside(store, unit, key, files)


def write_table(store: Store, table: str, rows: "Rows", key: str, context: Context) -> UnitManifest:
    """Writes one table as a unit of its own, `<key>-<table>`; see `write_tables`."""
    return write_tables(store, {table: rows}, f"{key}-{table}", context)


def _write_alone(store: Store, unit: UnitManifest, files: Files, replace: bool) -> UnitManifest | None:
    """Commits a unit in a store that is not compacted, in the place of what is there, and returns what stands."""
    data = read_if_there(store, unit.name.path)
    before = None if data is None else read_unit(store, unit.key)
    if before is not None and not replace:
        return before
    for path, content in files.items():
        store.write(path, content)
    # What is there and yet not read is damaged or of another major version, and has no place among these rows.
    if not replace and data is None:
        # Where another worker did the same unit and committed first, that one stands.
        store.write_if_absent(unit.name.path, _document(unit))
    else:
        store.write(unit.name.path, _document(unit))
        # Whoever replaces the same unit at the same time may have swept these away before they had a manifest.
        for path, content in files.items():
            if not store.exists(path):
                store.write(path, content)
    held = read_unit(store, unit.key)
    _sweep(store, held or unit, {part.table for one in (unit, before) if one is not None for part in one.parts})
    return held


def _write_beside(store: Store, unit: Callable[[Name], UnitManifest], key: str, files: Files) -> UnitManifest:
    """Commits a unit in a store that is compacted, beside all that was ever committed of its key."""
    for _ in range(REREADS):
        before = look(store, key)
        revision = before.revision(key)
        ours = unit(Name(revision, "", key).next() if revision else Name(1, "", key))
        for path, content in _by_path(ours, files).items():
            store.write(path, content)
        if revision:
            store.write(ours.name.path, _document(ours))
        else:
            store.write_if_absent(ours.name.path, _document(ours))
        stands = look(store, key).standing(key)
        name = stands.name if isinstance(stands, UnitManifest) else stands
        if name is not None and name >= ours.name:
            held = read_unit(store, key) or ours
            _sweep(store, held, {*files, *(part.table for part in held.parts)})
            return held
        # Another one took the same number and was compacted, or the unit was removed meanwhile: ours does not count.
    raise InfraError(f"report unit {key!r} of store {store.uri!r} is written by others all the time; evaluate again")


def _by_path(unit: UnitManifest, files: Files) -> dict[str, bytes]:
    return {part.path: files[part.table] for part in unit.parts}


def _document(unit: UnitManifest) -> bytes:
    return seal(unit.model_dump_json(indent=1).encode())


def _sweep(store: Store, held: UnitManifest, tables: set[str]) -> None:
    """Deletes the unit's files that no manifest names or ever will: superseded ones, and those of a killed attempt.

    Programs that read all of `kind=metrics/*.parquet` would count their rows twice.
    """
    named = {part.path for part in held.parts if part.place is None}
    for table in tables:
        stem = f"reports/kind={table}/part-{held.key}"
        file = re.compile(
            rf"{re.escape(stem)}(\.~(?P<revision>[0-9]+)\.(?P<token>[0-9a-f]{{8}}))?(\.[0-9a-f]{{12}})?\.parquet"
        )
        for path in store.list(stem):
            if path in named or (found := file.fullmatch(path)) is None:
                continue
            if (int(found["revision"] or 1), found["token"] or "") <= (held.revision, held.token):
                store.delete(path)


def _check_key(key: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=-]*", key):
        raise InputError(
            f"report key {key!r} should be letters, digits, '.', '_', '=' and '-', a letter or digit first"
        )
