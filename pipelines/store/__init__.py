"""Datasets on an object store: plans, codecs, containers, manifests, and reading by address."""

from pipelines.store.codecs import CODECS, Codec
from pipelines.store.dataset import Dataset, dataset_names
from pipelines.store.formats import FORMATS, Container
from pipelines.store.manifest import DatasetManifest, ShardManifest
from pipelines.store.moments import Moments
from pipelines.store.plan import DatasetPlan, ShardPlan
from pipelines.store.verify import VerifyReport, verify

__all__ = [
    "CODECS",
    "FORMATS",
    "Codec",
    "Container",
    "Dataset",
    "DatasetManifest",
    "DatasetPlan",
    "Moments",
    "ShardManifest",
    "ShardPlan",
    "VerifyReport",
    "dataset_names",
    "verify",
]
