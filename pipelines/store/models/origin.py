"""What a training is made from, and what fits what came of it: versions of datasets, and their frames and actions."""

from typing import Any

from infra.storage import Store
from jepa.core.config import Config
from jepa.core.episodes import check_frameskip
from jepa.core.errors import InputError
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.models.manifest import ModelManifest
from pipelines.store.references import DatasetRef, ModelRef


class Origin(Config):
    """Fixed by the driver before a training starts; the same in its claim, its checkpoints and its manifest."""

    request: dict[str, Any]
    """what was asked for, as given, without what changes nothing in what is learned"""
    dataset_ref: DatasetRef
    init_from: ModelRef | None = None
    """model whose weights the training starts from; none where they are drawn"""


def trained_on(store: Store, manifest: ModelManifest) -> DatasetRef | None:
    """Returns the version of the dataset that a model was trained on, None where nothing says which."""
    if manifest.dataset_ref is not None:
        return manifest.dataset_ref
    # Models of earlier code say by its plan which version it was.
    handle = DatasetHandle(store, manifest.dataset)
    newest = handle.manifest()
    for version in range(newest.version if newest is not None else 0, 0, -1):
        held = handle.manifest(version)
        if held is not None and held.plan_digest == manifest.dataset_digest:
            return held.reference
    return None


def check_fit(model: ModelManifest, dataset: Dataset) -> None:
    """Passes where a model can look at the frames of a dataset, and imagine its actions.

    Raises:
        InputError: world, image size or actions are other ones than it was trained on, or no frames are as far apart
            as the model sees them.
    """
    size, seen = model.recipe.model.image_size, dataset.manifest.image_size[0]
    if dataset.world != model.world or seen != size:
        raise InputError(
            f"model {model.name!r} was trained on {model.world} at {size} pixels and dataset {dataset.name!r} holds "
            f"{dataset.world} at {seen}; choose a dataset of the model's world and size"
        )
    if model.recipe.model.action_size != dataset.action_size:
        raise InputError(
            f"model {model.name!r} takes {model.recipe.model.action_size} values an action and dataset "
            f"{dataset.name!r} has {dataset.action_size}; choose a dataset with the model's actions"
        )
    check_frameskip(model.recipe.model.frameskip, dataset.frame_every, f"dataset {dataset.name!r}")
