"""The digests of a version's documents, and the manifest that is read by them.

`versions/<n>/digests.json` holds the SHA-256 of the raw bytes of the version's manifest, plan and markers; the manifest
holds those of shards and tables. Of the newest manifest a copy lies at the top of the dataset's folder. So there are
three witnesses, manifest, copy and recorded digest, and what two of them agree on is right.
"""

import logging
import re
from functools import cache

from pydantic import ValidationError

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.config import Config, to_json
from pipelines.store.datasets.layout import DatasetLayout
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.datasets.plan import DatasetPlan
from pipelines.store.sealed import read_if_there, seal, sha256, unseal

FILE = "digests.json"

log = logging.getLogger(__name__)


class VersionDigests(Config):
    """What `digests.json` says of one version: enough to check all of it, and to make a lost manifest again."""

    code_version: str
    """as the manifest has it"""
    codec_trial: dict[str, float]
    """as the manifest has it"""
    files: dict[str, str]
    """SHA-256 by path in the dataset's folder, of everything but the shards and the copies of the newest version"""


def parse_digests(data: bytes) -> VersionDigests | None:
    """Returns what the bytes of a `digests.json` say, None where they are not those that were written."""
    try:
        document = unseal(data)
        return VersionDigests.model_validate_json(document) if document != data else None
    except ValueError:
        return None


def read_digests(store: Store, layout: DatasetLayout, version: int) -> VersionDigests | None:
    """Returns the digests of a version; None where earlier code wrote none, or they are damaged."""
    data = read_if_there(store, layout.version(version, FILE))
    return None if data is None else parse_digests(data)


def write_digests(store: Store, layout: DatasetLayout, version: int, digests: VersionDigests) -> None:
    """Puts the digests of a version, sealed by their own."""
    store.write(layout.version(version, FILE), seal(to_json(digests)))


def recorded(digests: VersionDigests | None, version: int, file: str) -> str | None:
    """Returns the digest of `manifest.json` or `plan.json` of a version, None where nothing is known."""
    return None if digests is None else digests.files.get(f"versions/{version:06d}/{file}")


def find_manifest(store: Store, layout: DatasetLayout, version: int) -> DatasetManifest | None:
    """Returns the manifest of a version, or its copy where that alone is whole; None where none was committed.

    Raises:
        InfraError: it is damaged or lost, or no manifest that this version of the code reads.
    """
    path = layout.version(version, "manifest.json")
    data = read_if_there(store, path)
    digest = recorded(read_digests(store, layout, version), version, "manifest.json")
    if data is not None and sha256(data) == digest:
        return parse_manifest(store, path, data)
    if data is None and digest is None:
        return None
    top = read_if_there(store, layout.manifest)
    if top is not None and (top == data or sha256(top) == digest) and version_of(top) == version:
        if top != data:
            _warn(f"{store.address(path)} is damaged or lost and its copy is read; {repair_remedy(layout)}")
        return parse_manifest(store, layout.manifest, top)
    if data is None:
        raise InfraError(f"{store.address(path)} is lost; {repair_remedy(layout)}")
    if digest is not None:
        raise InfraError(f"{store.address(path)} is damaged: its digest is another one; {repair_remedy(layout)}")
    if top is not None and version_of(top) == version:
        if version_of(data) == version:
            raise InfraError(
                f"{store.address(path)} and its copy {store.address(layout.manifest)} differ, and no digest says which "
                f"is whole; {repair_remedy(layout)}"
            )
        return parse_manifest(store, layout.manifest, top)
    return parse_manifest(store, path, data)


def newest_manifest(store: Store, layout: DatasetLayout) -> DatasetManifest | None:
    """Returns the manifest of the newest version; None where there is no committed one; raises as `find_manifest`."""
    manifest = _by_copy(store, layout)
    if manifest is None:
        numbers = committed_versions(store, layout)
        if not numbers and (top := read_if_there(store, layout.manifest)) is not None:
            return parse_manifest(store, layout.manifest, top)
        manifest = find_manifest(store, layout, numbers[-1]) if numbers else None
    # The copy at the top is written after a version is committed, and may still be the one before.
    while manifest is not None and store.exists(layout.version(manifest.version + 1, "manifest.json")):
        manifest = find_manifest(store, layout, manifest.version + 1)
    return manifest


def committed_versions(store: Store, layout: DatasetLayout) -> list[int]:
    """Returns the numbers of all versions that were committed, ascending, also of one whose manifest is lost."""
    prefix = f"{layout.root}/versions/"
    pattern = re.compile(rf"{re.escape(prefix)}([0-9]{{6}})/(manifest|digests)\.json")
    return sorted({int(found[1]) for path in store.list(prefix) if (found := pattern.fullmatch(path))})


def version_of(data: bytes) -> int | None:
    """Returns the version that the bytes of a manifest name, None where they are no manifest."""
    try:
        return DatasetManifest.model_validate_json(data).version
    except ValidationError:
        return None


def is_manifest(data: bytes, manifest: DatasetManifest) -> bool:
    """Returns whether the bytes of a file are this manifest."""
    try:
        return DatasetManifest.model_validate_json(data) == manifest
    except ValidationError:
        return False


def parse_plan(data: bytes) -> DatasetPlan | None:
    """Returns the plan that the bytes of a `plan.json` are, None where they are not as they were written."""
    try:
        return DatasetPlan.model_validate_json(unseal(data))
    except ValueError:
        return None


def parse_manifest(store: Store, path: str, data: bytes) -> DatasetManifest:
    """Returns the manifest that the bytes at a path are.

    Raises:
        InfraError: they are no manifest that this version of the code reads.
    """
    try:
        return DatasetManifest.model_validate_json(data)
    except ValidationError as error:
        raise InfraError(
            f"{store.address(path)} is not a manifest that this version reads ({_first_problem(error)}); "
            "collect the dataset again under another name"
        ) from error


def repair_remedy(layout: DatasetLayout) -> str:
    """Returns what to do about a damaged file of a dataset, for people."""
    return f"`jepa verify {layout.name} --repair` makes it again"


def _by_copy(store: Store, layout: DatasetLayout) -> DatasetManifest | None:
    """Returns the manifest that the copy at the top leads to; None where it is lost or damaged."""
    data = read_if_there(store, layout.manifest)
    number = None if data is None else version_of(data)
    if data is None or number is None:
        return None
    if sha256(data) == recorded(read_digests(store, layout, number), number, "manifest.json"):
        return parse_manifest(store, layout.manifest, data)
    return find_manifest(store, layout, number)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(map(str, problem["loc"])) or "file"
    if problem["type"] == "value_error":
        return f"{place}: {problem['ctx']['error']}"
    return f"{place}: {problem['msg']}, got {str(problem['input'])[:40]}"


@cache
def _warn(sentence: str) -> None:
    """Logs a sentence, once in a process."""
    log.warning(sentence)
