"""Generations: each names all compacted files of a store and the index of their units; the highest number counts.

`reports/manifests/compacted/<number>.json` is put only where there is none, so that of all who would make the next one
exactly one does; the others begin again from it. A generation without files says that the store is compacted from now
on: whoever commits a unit overwrites no manifest any more, so that one can be deleted by its path without looking.
"""

import re
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import ConfigDict, Field
from pydantic_core import from_json

from infra.errors import InfraError
from infra.storage import Store
from infra.version import code_version
from jepa.core.config import Config
from pipelines.store.reports.manifest import MANIFESTS
from pipelines.store.sealed import is_sealed, read_if_there, seal, unseal
from pipelines.store.stored_path import StoredPath

GENERATIONS = f"{MANIFESTS}/compacted"
INDEXES = "reports/compacted"
FORMAT = "compacted-2"
"""In the place of a schema version: code that knows no compaction says once that it leaves such rows out."""
FORMATS = ("compacted-1", FORMAT)
"""Those that this code reads; the first has no plans of runs, and code of before would lose them."""
REREADS = 8
"""How often a store is looked at again when somebody deletes what has just been listed."""
_PATH = re.compile(rf"{GENERATIONS}/(?P<number>[0-9]{{6,}})\.json")
COMPACTED = re.compile(
    rf"(reports/kind=[^/]+/compacted|{INDEXES}/(units|plans))-(?P<number>[0-9]{{6,}})-[0-9a-f]{{8}}(-[0-9]+)?\.parquet"
)
"""Files of generations; one whose number is no higher than the newest generation's, and that it does not name, never
will be named: a file is first named by the generation of its number."""


class CompactedFile(Config):
    """A file that holds the rows of many units, the index of them, or the plans of runs."""

    table: str
    """that it is of; empty for the index and the plans"""
    path: StoredPath
    rows: int
    sha256: str
    bytes: int


class Withdrawn(Config):
    """A unit, or the plan of a run, that was removed: nothing of it up to this revision counts."""

    key: str
    """of the unit, or the stem of the plan"""
    revision: int
    at: datetime


class Spared(Config):
    """What `jepa gc` of code that knows no compaction must leave: it keeps whatever a manifest's `parts` name."""

    path: StoredPath


class Generation(Config):
    """What is compacted at one time."""

    # A field that later code adds is none of this code's business.
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    key: str = "all that is compacted"
    schema_version: str = FORMAT
    code_version: str = Field(default_factory=code_version)
    number: int
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    index: CompactedFile | None = None
    """the file that says which units there are, and where; None where there are none"""
    copy_of_index: StoredPath | None = None
    """the same bytes once more"""
    files: tuple[CompactedFile, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    plans: CompactedFile | None = None
    """the file that holds the plans of runs; None where there are none"""
    copy_of_plans: StoredPath | None = None
    """the same bytes once more"""
    withdrawn_plans: tuple[Withdrawn, ...] = ()
    parts: tuple[Spared, ...] = ()

    @property
    def path(self) -> str:
        """Returns where it lies."""
        return generation_path(self.number)

    @property
    def named(self) -> set[str]:
        """Returns the paths of its files, the index and itself among them."""
        own = {self.path, copy_path(self.path), *(file.path for file in self.files)}
        return own.union(*(paths for _, paths in self.doubled))

    @property
    def doubled(self) -> list[tuple[CompactedFile, tuple[str, ...]]]:
        """Returns the files of which there are copies, with the paths of all that have their bytes."""
        pairs = ((self.index, self.copy_of_index), (self.plans, self.copy_of_plans))
        return [(file, (file.path, *([copy] if copy else []))) for file, copy in pairs if file is not None]


def generation_path(number: int) -> str:
    """Returns where a generation lies."""
    return f"{GENERATIONS}/{number:06d}.json"


def copy_path(path: str) -> str:
    """Returns where the copy of a generation lies."""
    return path.replace(GENERATIONS, INDEXES)


def generation_stamps(store: Store) -> dict[str, str | None]:
    """Returns the paths of the generations that are there with their stamps, the newest last."""
    found = {path: stamp for path, stamp in store.stamps(f"{GENERATIONS}/").items() if _PATH.fullmatch(path)}
    return dict(sorted(found.items(), key=lambda item: _number(item[0])))


def is_compacted(store: Store) -> bool:
    """Returns whether rows of a store are compacted, or may be at any moment."""
    return bool(generation_stamps(store))


def is_left_over(path: str, generation: Generation | None) -> bool:
    """Returns whether a file is of a compaction that has not put its generation: it works, or was cut off."""
    found = COMPACTED.fullmatch(path)
    return found is not None and int(found["number"]) > (0 if generation is None else generation.number)


def is_superseded(store: Store, path: str) -> bool:
    """Returns whether there is a generation of a compacted file's number or a higher one by now."""
    found = COMPACTED.fullmatch(path)
    return found is not None and int(found["number"]) <= max(map(_number, generation_stamps(store)), default=0)


def commit_generation(store: Store, generation: Generation) -> bool:
    """Puts a generation, and returns whether it is the one of its number.

    A number that is long past can be put again where its generation was deleted: nobody reads it, and who relies on
    what it says looks at the newest afterwards.
    """
    document = seal(generation.model_dump_json(indent=1).encode())
    # Where an answer was lost, and the request repeated, it is ours that is there.
    ours = store.write_if_absent(generation.path, document) or read_if_there(store, generation.path) == document
    if ours:
        store.write(copy_path(generation.path), document)
    return ours


def keep_copy(store: Store, generation: Generation) -> None:
    """Writes the copy of a generation where whoever put it was cut off before that."""
    path = copy_path(generation.path)
    if not store.exists(path) and (document := read_if_there(store, generation.path)) is not None:
        store.write(path, document)


def parse_generation(store: Store, path: str, data: bytes) -> Generation:
    """Returns the generation that the bytes at a path are.

    Raises:
        InfraError: they are not those that were written, or later code wrote them in another format.
    """
    try:
        document = from_json(unseal(data))
        if (written := document["schema_version"]) not in FORMATS:
            raise InfraError(
                f"{store.address(path)} has format {written!r} and this code reads {FORMAT!r}; use code "
                f"{document.get('code_version')}, which wrote it"
            )
        generation = Generation.model_validate(document)
        if not is_sealed(data) or generation.path != path:
            raise ValueError("its bytes are not those that were written")
    except (ValueError, KeyError, TypeError) as error:
        raise InfraError(
            f"{store.address(path)} is damaged, which says where compacted rows lie, and so is its copy "
            f"{copy_path(path)}; restore one of them from a backup"
        ) from error
    return generation


def _number(path: str) -> int:
    found = _PATH.fullmatch(path)
    return int(found["number"]) if found else 0
