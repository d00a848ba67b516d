"""Restores what lies beside the shards: from a verified copy, or made again of what is verified, to the digest."""

from infra.errors import InfraError
from jepa.core.config import to_json
from pipelines.store.datasets.commit import gather, make_manifest, render_files
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.integrity.digests import (
    VersionDigests,
    committed_versions,
    is_manifest,
    parse_plan,
    read_digests,
    recorded,
)
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.datasets.plan import DatasetPlan
from pipelines.store.sealed import read_if_there, seal, sha256


def restore_manifests(dataset: DatasetHandle) -> None:
    """Puts back each version's manifest and plan where they are lost or damaged.

    Raises:
        InfraError: a manifest is lost for good.
    """
    for number in committed_versions(dataset.store, dataset.layout):
        digests = read_digests(dataset.store, dataset.layout, number)
        manifest = _restore_manifest(dataset, number, digests)
        path = dataset.layout.version(number, "plan.json")
        held, digest = read_if_there(dataset.store, path), recorded(digests, number, "plan.json")
        if held is not None and (sha256(held) == digest or (digest is None and parse_plan(held) == manifest.plan)):
            continue
        for document in (seal(to_json(manifest.plan)), to_json(manifest.plan)):
            if digest in (None, sha256(document)):
                dataset.store.write(path, document)
                break


def restore_files(dataset: DatasetHandle, manifest: DatasetManifest) -> None:
    """Writes the files beside the shards of a version again, each only if it comes out as the manifest says.

    Raises:
        InfraError: one does not.
    """
    store, layout = dataset.store, dataset.layout
    held = {path: read_if_there(store, layout.version(manifest.version, path)) for path in manifest.files}
    wrong = {path for path, data in held.items() if data is None or sha256(data) != manifest.files[path]}
    for path in sorted(wrong):
        copy = read_if_there(store, layout.file(path))
        if copy is not None and sha256(copy) == manifest.files[path]:
            store.write(layout.version(manifest.version, path), copy)
            wrong.discard(path)
    if not wrong:
        return
    gathered = gather(dataset, manifest.plan)
    files = render_files(manifest.name, manifest.plan, gathered, manifest.code_version, manifest.codec_trial)
    for path in sorted(wrong):
        if path not in files or sha256(files[path]) != manifest.files[path]:
            raise InfraError(
                f"{path} of dataset {manifest.name!r} comes out with other bytes than its manifest says: "
                "the code is another one; nothing was written"
            )
        store.write(layout.version(manifest.version, path), files[path])


def _restore_manifest(dataset: DatasetHandle, number: int, digests: VersionDigests | None) -> DatasetManifest:
    store, layout = dataset.store, dataset.layout
    path = layout.version(number, "manifest.json")
    try:
        manifest = dataset.manifest(number)
    except InfraError as error:
        data = None if digests is None else _made_again(dataset, number, digests)
        if data is None:
            raise InfraError(f"{store.address(path)} is lost for good: {error}") from error
        store.write(path, data)
        return dataset.require(number)
    if manifest is None:
        raise InfraError(f"{store.address(path)} is lost for good: nothing says what it held")
    held = read_if_there(store, path)
    if held is None or not is_manifest(held, manifest) or sha256(held) != _digest(digests, number, held):
        top = read_if_there(store, layout.manifest)
        if top is not None and is_manifest(top, manifest):
            store.write(path, top)
    return manifest


def _digest(digests: VersionDigests | None, number: int, held: bytes) -> str:
    return recorded(digests, number, "manifest.json") or sha256(held)


def _made_again(dataset: DatasetHandle, number: int, digests: VersionDigests) -> bytes | None:
    """Returns the bytes of a manifest, made again of plan and markers; None where they are not those recorded."""
    folder = f"versions/{number:06d}/"
    plan = _plan(dataset, number, digests)
    if plan is None:
        return None
    gathered = gather(dataset, plan)
    own = {path.removeprefix(folder): digest for path, digest in digests.files.items() if path.startswith(folder)}
    files = {path: digest for path, digest in own.items() if path not in ("manifest.json", "plan.json")}
    data = to_json(make_manifest(dataset.name, plan, gathered, digests.code_version, digests.codec_trial, files))
    return data if sha256(data) == own.get("manifest.json") else None


def _plan(dataset: DatasetHandle, number: int, digests: VersionDigests) -> DatasetPlan | None:
    data = read_if_there(dataset.store, dataset.layout.version(number, "plan.json"))
    if data is None or sha256(data) != recorded(digests, number, "plan.json"):
        return None
    return parse_plan(data)
