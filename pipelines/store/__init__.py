"""Datasets on an object store: plans, codecs, containers, manifests, and reading by address."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.store.codecs import CODECS, Codec
    from pipelines.store.datasets.dataset import Dataset, DatasetGoneError, open_dataset
    from pipelines.store.datasets.handle import DatasetHandle, dataset_names, resolve_dataset
    from pipelines.store.datasets.integrity.verify import VerifyReport, verify
    from pipelines.store.datasets.manifest import DatasetManifest, ShardManifest
    from pipelines.store.datasets.moments import Moments
    from pipelines.store.datasets.plan import DatasetPlan, ShardPlan
    from pipelines.store.formats import FORMATS, Container

__all__ = [
    "CODECS",
    "FORMATS",
    "Codec",
    "Container",
    "Dataset",
    "DatasetGoneError",
    "DatasetHandle",
    "DatasetManifest",
    "DatasetPlan",
    "Moments",
    "ShardManifest",
    "ShardPlan",
    "VerifyReport",
    "dataset_names",
    "open_dataset",
    "resolve_dataset",
    "verify",
]

offer_lazily(__name__)
