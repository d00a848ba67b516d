"""The manifest of a unit of work: whose rows it has, in which files, and where the manifest itself lies.

`reports/manifests/<key>.json` is the first of a unit. In a store that is compacted no manifest is ever overwritten: one
that takes another's place lies beside it, under the next number, `<key>.~000002.<token>.revised`. Code that knows no
compaction passes over such a file, for it ends otherwise, and its `jepa gc` spares what it names.
"""

import logging
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from pydantic import ConfigDict, Field, field_serializer
from pydantic_core import from_json

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.config import Config, digest_of
from pipelines.store.references import SHORT, DatasetRef, ModelRef
from pipelines.store.reports.version import SCHEMA_VERSION
from pipelines.store.sealed import is_sealed, sha256, unseal
from pipelines.store.stored_path import StoredPath

MANIFESTS = "reports/manifests"
STUDY_TABLE = "study_"
"""What the names of studies' tables begin with; the shortest of a cell is that of its measures."""
REVISION = r"\.~(?P<revision>[0-9]{6,})\.(?P<token>[0-9a-f]{8})"
"""What the name of a file has that took another's place."""
DOCUMENT = rf"(\.json|{REVISION}\.revised)"
"""How the paths of documents end that no newer one overwrites."""
_NAME = re.compile(rf"{MANIFESTS}/(?P<key>[^/~]+){DOCUMENT}")

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


class Place(NamedTuple):
    """Where the rows of a part lie once they are compacted."""

    path: str
    """of the compacted file"""
    sha256: str
    """of that file"""
    first: int
    """row of it with which they begin"""


class Part(Config):
    """One committed file of one table."""

    table: str
    path: StoredPath
    rows: int
    sha256: str | None = None
    """of the file; none of earlier code, whose file names hold the first digits at most"""
    place: Place | None = Field(default=None, exclude=True)
    """where its rows lie now, if not in a file of their own; no manifest says so, but the index of what is compacted"""

    def fits(self, data: bytes) -> bool:
        """Returns whether the bytes are the file that was committed, as far as is known."""
        return sha256(data).startswith(self.expected)

    @property
    def expected(self) -> str:
        """Returns the first digits of the file's digest, all that are known."""
        named = re.search(r"\.([0-9a-f]{12})\.parquet$", self.path)
        return self.sha256 or (named[1] if named else "")


class Name(NamedTuple):
    """What the path of a manifest says, or that of a run's plan.

    Of two of one key that with the higher (revision, token) stands.
    """

    revision: int
    token: str
    key: str
    folder: str = MANIFESTS

    @property
    def path(self) -> str:
        """Returns the path."""
        end = f"~{self.revision:06d}.{self.token}.revised" if self.token else "json"
        return f"{self.folder}/{self.key}.{end}"

    def next(self) -> "Name":
        """Returns a name that nobody else takes, for what takes its place."""
        return self._replace(revision=self.revision + 1, token=uuid.uuid4().hex[:8])

    def part(self, table: str, digest: str) -> str:
        """Returns the path of a file of the unit; no two revisions share one."""
        end = f".~{self.revision:06d}.{self.token}" if self.token else ""
        return f"reports/kind={table}/part-{self.key}{end}.{digest[:12]}.parquet"


class UnitManifest(Context):
    """What a unit of work wrote; it exists when all of its parts do."""

    # A field that later code adds is none of this code's business.
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    key: str
    schema_version: int
    parts: tuple[Part, ...]
    kinds: frozenset[str] | None = None
    """Kinds of evaluation that rows of `metrics` are of; None where older code wrote it, which did not record them."""
    revision: int = Field(default=1, exclude=True)
    """which manifest of the key it is, from 1; its path says so"""
    token: str = Field(default="", exclude=True)
    """by which its path differs from those of others that took the same number at once"""

    @property
    def name(self) -> Name:
        """What the path of the manifest says."""
        return Name(self.revision, self.token, self.key)

    def __repr__(self) -> str:
        rows = ", ".join(f"{part.rows} {part.table}" for part in self.parts)
        return f"<unit {self.key} of {self.model_text} on {self.dataset_text}: rows of {rows or 'nothing'}>"

    __str__ = __repr__

    @property
    def study(self) -> str:
        """Returns the name of the study that the unit is a cell of, nothing for other units."""
        tables = [part.table for part in self.parts if part.table.startswith(STUDY_TABLE)]
        return min(tables, key=len, default=STUDY_TABLE).removeprefix(STUDY_TABLE)

    @field_serializer("kinds", when_used="json")
    def _kinds_in_order(self, kinds: frozenset[str] | None) -> list[str] | None:
        """Returns them as the manifest has them: the same bytes in every process, whatever a set's order there."""
        return None if kinds is None else sorted(kinds)

    def may_be_of(self, kinds: Sequence[str]) -> bool:
        """Returns whether rows of these kinds of evaluation can be among the unit's."""
        return self.kinds is None or not self.kinds.isdisjoint(kinds)


_OF_UNIT, _OF_PART = (
    {name for name, field in kind.model_fields.items() if not field.exclude} for kind in (UnitManifest, Part)
)
"""Names that a manifest of this code has, and a part in it."""


def restored_unit(document: Mapping[str, Any], places: Sequence[Place], revision: int, token: str) -> UnitManifest:
    """Returns a unit as this code, or other code of the schema version, wrote it into a file whose digest is right.

    What this code wrote was checked then, and is not again: a store has many. Anything else is.

    Args:
        document: the manifest.
        places: where the rows of each part lie.
        revision: which manifest of the key it is.
        token: by which its path differs from others.

    Raises:
        ValueError: there are not as many places as parts, or other code wrote what this code cannot read.
    """
    parts = document["parts"]
    if document.keys() == _OF_UNIT and all(part.keys() == _OF_PART for part in parts):
        facts = {
            **document,
            "heads": tuple(document["heads"]),
            "kinds": None if document["kinds"] is None else frozenset(document["kinds"]),
            "created_at": datetime.fromisoformat(document["created_at"]),
        }
        placed = [Part.model_construct(**part, place=place) for part, place in zip(parts, places, strict=True)]
        return UnitManifest.model_construct(**facts | {"parts": tuple(placed), "revision": revision, "token": token})
    unit = UnitManifest.model_validate(document)
    own = zip(unit.parts, places, strict=True)
    moved = tuple(part.model_copy(update={"place": place}) for part, place in own)
    return unit.model_copy(update={"parts": moved, "revision": revision, "token": token})


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


def manifest_path(key: str) -> str:
    """Returns the path of a unit's first manifest."""
    return f"{MANIFESTS}/{key}.json"


def manifest_name(path: str) -> Name | None:
    """Returns what the path of a manifest says; None where it is of none."""
    return name_in(_NAME.fullmatch(path))


def name_in(found: re.Match[str] | None, folder: str = MANIFESTS) -> Name | None:
    """Returns the name whose key, revision and token a pattern found in a path; None where it found none."""
    return None if found is None else Name(int(found["revision"] or 1), found["token"] or "", found["key"], folder)


class Revised(Protocol):
    """A document that knows its revision."""

    @property
    def revision(self) -> int:
        """Which of its key it is, from 1."""


Held = TypeVar("Held", bound=Revised)


def standing(loose: Iterable[Name], held: Held | None, revision: int) -> Name | Held | None:
    """Returns which document of a key stands: one that lies loose, the compacted one, or none.

    Args:
        loose: names of those that lie loose.
        held: the compacted one.
        revision: the newest that is compacted or was removed, 0 where there is none; none up to it counts loose.
    """
    newest = max(loose, default=None)
    if newest is not None and newest.revision > revision:
        return newest
    return held if held is not None and held.revision == revision else None


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
            name = manifest_name(path)
            # Who gives digests of parts seals the manifest, too: without its seal it is damaged.
            sealed = is_sealed(data) or not any(part.sha256 for part in unit.parts)
            if not sealed or name is None or name.key != unit.key:
                raise ValueError("its bytes are not those that were written")
            return unit.model_copy(update={"revision": name.revision, "token": name.token})
    except (ValueError, KeyError, TypeError) as error:
        raise InfraError(
            f"{store.address(path)} is damaged, or no manifest of report rows; evaluate again, or delete it"
        ) from error
    warn_once(
        f"report unit {document.get('key')!r} has schema version {version} and this code reads {SCHEMA_VERSION}: its "
        f"rows are left out; read them with code {document.get('code_version')}, which wrote them, or evaluate again"
    )
    return None


@cache
def warn_once(sentence: str) -> None:
    """Logs a sentence, once however often the manifests are read."""
    log.warning(sentence)
