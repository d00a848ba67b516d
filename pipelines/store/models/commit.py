"""Makes a model of trained weights: what people and programs read of it, and last the configuration."""

import hashlib

from jepa.core.config import to_json
from jepa.models.files import save_model
from jepa.models.world_model import WorldModel
from pipelines.store.models.digests import is_whole, write_digests
from pipelines.store.models.manifest import ModelHandle, ModelManifest


def weights_of(model: WorldModel) -> tuple[bytes, str, int]:
    """Returns a model's weights as they are stored, their digest, and the number of parameters."""
    data, _ = save_model(model)
    return data, hashlib.sha256(data).hexdigest(), sum(parameter.numel() for parameter in model.parameters())


def commit_model(handle: ModelHandle, manifest: ModelManifest, weights: bytes, card: str) -> ModelManifest:
    """Writes weights and manifest under their digests, then the card, the digests of both, and last `config.json`.

    A manifest that continues the model takes the place of the one before, which stays under its digest. Any other is
    written only if no model has the name: where a run beside this one came first, its model stands.

    Returns:
        The manifest that stands.
    """
    store, layout = handle.store, handle.layout
    if manifest.continued_from is None:
        if (held := handle.manifest()) is not None:
            return held
    else:
        # Models of code that kept one manifest only have no other copy of it, and no record.
        before, config = manifest.continued_from.digest, store.read(layout.config)
        store.write_if_absent(layout.manifest(before), config)
        if not store.exists(layout.digest(before)) and store.exists(layout.card):
            write_digests(store, layout, before, config, store.read(layout.card))
    store.write(layout.weights(manifest.weights_sha256), weights)
    path, data = layout.manifest(manifest.digest), to_json(manifest)
    if manifest.continued_from == manifest.reference:
        store.write(path, data)  # more steps that moved no weight
    elif not store.write_if_absent(path, data):
        data = _held(handle, manifest) or data  # of an attempt that was cut off here, and came to the same weights
        store.write(path, data)
    store.write(layout.card, card.encode())
    write_digests(store, layout, manifest.digest, data, card.encode())
    if manifest.continued_from is None:
        store.write_if_absent(layout.config, data)
    else:
        store.write(layout.config, data)
    return handle.require()


def _held(handle: ModelHandle, manifest: ModelManifest) -> bytes | None:
    """Returns the bytes under a manifest's digest, None where they are damaged."""
    try:
        path = handle.layout.manifest(manifest.digest)
        data = handle.store.read(path)
        return data if is_whole(handle.store, handle.layout, manifest.digest, data) is not False else None
    except ValueError:
        return None
