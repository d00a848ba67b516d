"""Batches of clips from a stored dataset, in an order that depends on nothing but its seed."""

from pipelines.loader.config import LoaderConfig
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.loader import Loader
from pipelines.loader.native.clip_loader import ClipLoader
from pipelines.loader.native.schedule import EpochOrder, Visit
from pipelines.loader.open import LOADERS, open_loader

__all__ = [
    "LOADERS",
    "ClipLoader",
    "EpochOrder",
    "Loader",
    "LoaderConfig",
    "LoaderCounters",
    "Visit",
    "open_loader",
]
