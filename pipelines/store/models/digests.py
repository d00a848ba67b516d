"""The digests of a model's documents, and its manifest as it is read by them.

`digests/<digest>.json` holds the SHA-256 of the raw bytes of a manifest and of the card beside it, and a copy of both.
A manifest names the digest of the weights; its own name is the digest of that and of the configuration in it.
"""

from pydantic import ValidationError
from pydantic_core import from_json

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.config import Config, digest_of, to_json
from pipelines.store.models.layout import ModelLayout
from pipelines.store.sealed import read_if_there, seal, sha256, unseal


class ModelDigests(Config):
    """What is recorded of one manifest of a model."""

    manifests: tuple[str, ...]
    """SHA-256 of the manifest's bytes; of several where it was written again for more steps that moved no weight"""
    card: str
    """SHA-256 of the card that was written with it"""
    manifest_text: str
    """the newest of these manifests, for a repair: later ones take the place of `config.json`, its other copy"""
    card_text: str
    """the card, for a repair"""


def parse_digests(data: bytes) -> ModelDigests | None:
    """Returns what the bytes of a file of digests say, None where they are not those that were written."""
    try:
        document = unseal(data)
        return ModelDigests.model_validate_json(document) if document != data else None
    except ValueError:
        return None


def read_digests(store: Store, layout: ModelLayout, digest: str) -> ModelDigests | None:
    """Returns what is recorded of a manifest; None where earlier code recorded nothing, or it is damaged."""
    data = read_if_there(store, layout.digest(digest))
    return None if data is None else parse_digests(data)


def write_digests(store: Store, layout: ModelLayout, digest: str, manifest: bytes, card: bytes) -> None:
    """Records a manifest and its card; those of the same weights that were recorded before stay right, too."""
    before = read_digests(store, layout, digest)
    earlier = () if before is None else tuple(known for known in before.manifests if known != sha256(manifest))
    digests = ModelDigests(
        manifests=(*earlier, sha256(manifest)),
        card=sha256(card),
        manifest_text=manifest.decode(),
        card_text=card.decode(),
    )
    store.write(layout.digest(digest), seal(to_json(digests)))


def content_digest(data: bytes) -> str:
    """Returns the digest of weights and configuration that the bytes of a manifest hold, as they are written.

    Raises:
        ValueError: they are no JSON document of a model.
    """
    document = from_json(data)
    try:
        return digest_of({"weights": document["weights_sha256"], "model": document["recipe"]["model"]})
    except (KeyError, TypeError) as error:
        raise ValueError("no manifest of a model") from error


def is_whole(store: Store, layout: ModelLayout, digest: str, data: bytes) -> bool | None:
    """Returns whether the bytes of a manifest are those of a model's digest; None where content alone could be checked.

    Raises:
        ValueError: they are no manifest.
    """
    if content_digest(data) != digest:
        return False
    digests = read_digests(store, layout, digest)
    if digests is not None:
        return sha256(data) in digests.manifests
    other = read_if_there(store, layout.manifest(digest))
    newest = read_if_there(store, layout.config)
    if other is None or newest is None:
        return None
    if other == newest:
        return True
    try:
        return None if content_digest(newest) != digest else False
    except ValueError:
        return None


def check_manifest(store: Store, layout: ModelLayout, path: str, digest: str, data: bytes) -> None:
    """Passes where the bytes at a path are the manifest of a model's digest, as far as is known.

    Raises:
        InfraError: they are not.
    """
    try:
        whole = is_whole(store, layout, digest, data)
    except (ValueError, ValidationError):
        whole = False
    if whole is False:
        raise InfraError(
            f"{store.address(path)} is damaged: its digest is another one; "
            f"`jepa verify {layout.name} --repair` restores it if a copy is whole"
        )
