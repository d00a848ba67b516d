"""Units of work: what one evaluation of one part, or one training, wrote, committed whole by its manifest.

A unit's key says what was done, by content, and not for whom: two runs that ask for the same unit share it. Its files
count when the manifest names them. Their names hold a digest of their bytes, so that a unit can be done again while the
old files still serve, and changes over in one atomic step.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic_core import from_json

from infra.errors import InfraError
from infra.processes.pool import ThreadPool
from infra.storage import Store
from jepa.core.config import Config, digest_of
from jepa.core.errors import InputError
from pipelines.store.references import SHORT, DatasetRef, ModelRef
from pipelines.store.reports.version import SCHEMA_VERSION
from pipelines.store.sealed import Problem, is_sealed, read_if_there, seal, sha256, unseal
from pipelines.store.stored_path import StoredPath

if TYPE_CHECKING:
    from pipelines.store.reports.rows import Rows

MANIFESTS = "reports/manifests"
STUDY_TABLE = "study_"
"""What the names of studies' tables begin with; the shortest of a cell is that of its measures."""
READERS = 16
"""Threads that read manifests: what is waited for is an object store's latency, not its bandwidth."""

HELD = 50_000
"""Manifests that a process keeps, so that a store is not read again for each question."""

_PARSED: dict[tuple[str, str | None], "UnitManifest | None"] = {}
"""Manifests by address and stamp: one that is replaced has another stamp."""

log = logging.getLogger(__name__)


class Context(Config):
    """What the rows of one unit of work have in common."""

    run: str = Field(min_length=1)
    """Id of the run that the unit is done for."""
    model: str = ""
    """Name of the model; empty where a table is about a dataset alone."""
    model_digest: str | None = None
    """Digest of its weights and configuration."""
    dataset: str = ""
    """Name of the dataset."""
    dataset_version: int | None = None
    """Version of the dataset."""
    dataset_digest: str | None = None
    """Digest of that version's content."""
    world: str = ""
    """Registered name of the world."""
    protocol_digest: str | None = None
    """Digest of the settings."""
    evaluation_version: int | None = None
    """Version that the evaluation declares of itself."""
    problems_digest: str | None = None
    """Digest of the manifest of planning problems that were solved; None where there were none."""
    training_step: int | None = None
    """Step of the training after which the weights were judged, where they are a checkpoint's."""
    factor: str | None = None
    """What was other in the dataset than in training; None where nothing was."""
    factor_value: float | None = None
    """Value of that factor, in the world's unit."""
    heads: tuple[str, ...] = ()
    """Names of the model's heads that were planned with; none in units of earlier code, which did not record them."""
    code_version: str
    """Version of the code."""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """When the unit was made."""

    @classmethod
    def of(cls, run: str, model: ModelRef, dataset: DatasetRef, **facts: Any) -> "Context":
        """Returns the context of a unit that was made from these."""
        return cls(
            run=run,
            model=model.name,
            model_digest=model.digest,
            dataset=dataset.name,
            dataset_version=dataset.version,
            dataset_digest=dataset.digest,
            **facts,
        )

    @property
    def dataset_reference(self) -> DatasetRef | None:
        """The version of the dataset; None where older code kept none."""
        if self.dataset_version is None or self.dataset_digest is None:
            return None
        return DatasetRef(name=self.dataset, version=self.dataset_version, digest=self.dataset_digest)

    @property
    def model_text(self) -> str:
        """The model as people write it, `m0@1a2b3c4d`, or the name alone where older code gave no digest."""
        return f"{self.model}@{self.model_digest[:SHORT]}" if self.model_digest else self.model

    @property
    def dataset_text(self) -> str:
        """The dataset as people write it, `d0@2`, or the name alone where older code gave no version."""
        return f"{self.dataset}@{self.dataset_version}" if self.dataset_version else self.dataset


class Part(Config):
    """One committed file of one table."""

    table: str
    path: StoredPath
    rows: int
    sha256: str | None = None
    """of the file; none of earlier code, whose file names hold the first digits at most"""

    def fits(self, data: bytes) -> bool:
        """Returns whether the bytes are the file that was committed, as far as is known."""
        return sha256(data).startswith(self.expected)

    @property
    def expected(self) -> str:
        """Returns the first digits of the file's digest, all that are known."""
        named = re.search(r"\.([0-9a-f]{12})\.parquet$", self.path)
        return self.sha256 or (named[1] if named else "")


class UnitManifest(Context):
    """What a unit of work wrote; it exists when all of its parts do."""

    # A field that later code adds is none of this code's business.
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    key: str
    schema_version: int
    parts: tuple[Part, ...]
    kinds: frozenset[str] | None = None
    """Kinds of evaluation that rows of `metrics` are of; None where older code wrote it, which did not record them."""

    def __repr__(self) -> str:
        rows = ", ".join(f"{part.rows} {part.table}" for part in self.parts)
        return f"<unit {self.key} of {self.model_text} on {self.dataset_text}: rows of {rows or 'nothing'}>"

    __str__ = __repr__

    @property
    def study(self) -> str:
        """Returns the name of the study that the unit is a cell of, nothing for other units."""
        tables = [part.table for part in self.parts if part.table.startswith(STUDY_TABLE)]
        return min(tables, key=len, default=STUDY_TABLE).removeprefix(STUDY_TABLE)

    def may_be_of(self, kinds: Sequence[str]) -> bool:
        """Returns whether rows of these kinds of evaluation can be among the unit's."""
        return self.kinds is None or not self.kinds.isdisjoint(kinds)


def content_digest(units: Iterable["UnitManifest"]) -> str:
    """Returns what stands for some units' committed rows: keys and digests of files, in any order."""
    return digest_of({unit.key: [part.sha256 for part in unit.parts] for unit in units})


def unit_key(what: str, part: str, identity: Mapping[str, Any]) -> str:
    """Returns the key of a unit, `<what>-<part>-<16 hexadecimal digits of the identity's digest>`.

    Args:
        what: `planning`, `training` …, for people who read a listing.
        part: which part of it.
        identity: a JSON document of all that the unit's rows depend on.
    """
    return f"{what}-{part.replace('/', '=')}-{digest_of(identity)[:16]}"


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
    files = {}
    parts = []
    for table, rows in tables.items():
        file = parquet_bytes(to_arrow(table, rows, shared))
        digest = sha256(file)
        path = f"reports/kind={table}/part-{key}.{digest[:12]}.parquet"
        files[path] = file
        parts.append(Part(table=table, path=path, rows=len(rows), sha256=digest))
    data = read_if_there(store, manifest_path(key))
    before = None if data is None else _whole_unit(store, key, data)
    if before is not None and not replace:
        return before
    # What is there and yet not read is damaged or of another major version, and has no place among these rows.
    replace = replace or data is not None
    kinds = frozenset(str(row.get("evaluation")) for row in tables.get("metrics", ()))
    facts = {"key": key, "schema_version": SCHEMA_VERSION, "parts": tuple(parts), "kinds": kinds}
    manifest = UnitManifest(**facts, **context.model_dump())
    _commit(store, manifest, files, replace)
    held = read_unit(store, key) or manifest
    _sweep(store, held, {part.table for part in (*parts, *(before.parts if before else ()))})
    return held


def write_table(store: Store, table: str, rows: "Rows", key: str, context: Context) -> UnitManifest:
    """Writes one table as a unit of its own, `<key>-<table>`; see `write_tables`."""
    return write_tables(store, {table: rows}, f"{key}-{table}", context)


def read_unit(store: Store, key: str) -> UnitManifest | None:
    """Returns the manifest of a committed unit of work, all of whose files are whole.

    None where it is not done yet, or not as this code reads it, or where a file of it is lost or damaged: it is done
    again then, and a sentence in the log names the file.
    """
    data = read_if_there(store, manifest_path(key))
    return None if data is None else _whole_unit(store, key, data)


def read_units(store: Store, keys: Sequence[str]) -> dict[str, UnitManifest]:
    """Returns, of some units, those that are committed and whole, by their keys; see `read_unit`."""
    with ThreadPool(READERS, "read-unit") as pool:
        found = zip(keys, pool.map(lambda key: read_unit(store, key), keys), strict=True)
        return {key: unit for key, unit in found if unit is not None}


def damaged_parts(store: Store, unit: UnitManifest) -> Iterator[Problem]:
    """Yields the files of a unit that are lost or damaged, or are none of their table, as readers would find."""
    for part in unit.parts:
        data = read_if_there(store, part.path)
        if data is None:
            yield Problem(path=part.path, kind="missing")
        elif not part.fits(data):
            yield Problem(path=part.path, kind="damaged")
        elif wrong := _misfit(part, data):
            yield Problem(path=part.path, kind="damaged", detail=wrong)


def _misfit(part: Part, data: bytes) -> str:
    """Returns what a file has that its table has not; nothing is known of a table that nothing here declares."""
    import pyarrow as pa

    from pipelines.store.reports.rows import check_parquet
    from pipelines.store.reports.schema import SchemaError

    try:
        check_parquet(data, part.table, part.rows)
    except InputError:
        return ""
    except SchemaError as error:
        return str(error)
    except (pa.ArrowException, OSError):
        return "it is no Parquet file"
    return ""


def committed_units(store: Store) -> list[UnitManifest]:
    """Returns the manifests of all committed units, in order of their keys.

    Units of another major version of the schema are left out, and a sentence in the log says so. Their files are
    checked when they are read.

    Raises:
        InfraError: a manifest is damaged.
    """
    stamps = {path: stamp for path, stamp in store.stamps(f"{MANIFESTS}/").items() if path.endswith(".json")}
    names = {path: (store.address(path), stamp) for path, stamp in stamps.items()}
    unread = [path for path, name in names.items() if name not in _PARSED]
    with ThreadPool(READERS, "read-unit") as pool:
        read = dict(zip(unread, pool.map(lambda path: parse_unit(store, path, store.read(path)), unread), strict=True))
    found = {path: read[path] if path in read else _PARSED[name] for path, name in names.items()}
    if len(_PARSED) > HELD:
        _PARSED.clear()
    _PARSED.update({names[path]: unit for path, unit in read.items() if stamps[path] is not None})
    return [unit for _, unit in sorted(found.items()) if unit is not None]


def _whole_unit(store: Store, key: str, data: bytes) -> UnitManifest | None:
    try:
        unit = parse_unit(store, manifest_path(key), data)
    except InfraError as error:
        _warn(f"{error}; the unit counts as not done")
        return None
    wrong = None if unit is None else next(damaged_parts(store, unit), None)
    if wrong is not None:
        reason = f" ({wrong.detail})" if wrong.detail else ""
        _warn(f"{store.address(wrong.path)} is {wrong.kind}{reason}: unit {key} counts as not done")
    return unit if wrong is None else None


def parse_unit(store: Store, path: str, data: bytes) -> UnitManifest | None:
    """Returns the unit that the bytes of a manifest are; None where another major version of the schema wrote it.

    Raises:
        InfraError: they are not those that were written.
    """
    try:
        document = from_json(unseal(data))
        version = document["schema_version"]
        if version == SCHEMA_VERSION:
            unit = UnitManifest.model_validate(document)
            # Who gives digests of parts seals the manifest, too: without its seal it is damaged.
            sealed = is_sealed(data) or not any(part.sha256 for part in unit.parts)
            if not sealed or manifest_path(unit.key) != path:
                raise ValueError("its bytes are not those that were written")
            return unit
    except (ValueError, KeyError, TypeError) as error:
        raise InfraError(
            f"{store.address(path)} is damaged, or no manifest of report rows; evaluate again, or delete it"
        ) from error
    _warn(
        f"report unit {document.get('key')!r} has schema version {version} and this code reads {SCHEMA_VERSION}: its "
        f"rows are left out; read them with code {document.get('code_version')}, which wrote them, or evaluate again"
    )
    return None


@cache
def _warn(sentence: str) -> None:
    """Logs a sentence, once however often the manifests are read."""
    log.warning(sentence)


def _commit(store: Store, manifest: UnitManifest, files: Mapping[str, bytes], replace: bool) -> None:
    for path, data in files.items():
        store.write(path, data)
    document = seal(manifest.model_dump_json(indent=1).encode())
    if not replace:
        # Where another worker did the same unit and committed first, that one stands.
        store.write_if_absent(manifest_path(manifest.key), document)
        return
    store.write(manifest_path(manifest.key), document)
    # Whoever replaces the same unit at the same time may have swept these away before they had a manifest.
    for path, data in files.items():
        if not store.exists(path):
            store.write(path, data)


def _sweep(store: Store, held: UnitManifest, tables: set[str]) -> None:
    """Deletes the unit's files that its manifest does not name: superseded ones, and those of a killed attempt.

    Programs that read all of `kind=metrics/*.parquet` would count their rows twice.
    """
    named = {part.path for part in held.parts}
    for table in tables:
        stem = f"reports/kind={table}/part-{held.key}"
        for path in store.list(stem):
            if path not in named and re.fullmatch(rf"{re.escape(stem)}(\.[0-9a-f]{{12}})?\.parquet", path):
                store.delete(path)


def manifest_path(key: str) -> str:
    """Returns the path of a unit's manifest."""
    return f"{MANIFESTS}/{key}.json"


def _check_key(key: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=-]*", key):
        raise InputError(
            f"report key {key!r} should be letters, digits, '.', '_', '=' and '-', a letter or digit first"
        )
