"""Batches of clips from a stored dataset, in an order that depends on nothing but its seed."""

from pipelines.loader import official
from pipelines.loader.config import LoaderConfig
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.interface import Loader
from pipelines.loader.loader import ClipLoader
from pipelines.loader.open import LOADERS, open_loader
from pipelines.loader.order import EpochOrder, Visit

__all__ = [
    "LOADERS",
    "ClipLoader",
    "EpochOrder",
    "Loader",
    "LoaderConfig",
    "LoaderCounters",
    "Visit",
    "official",
    "open_loader",
]
