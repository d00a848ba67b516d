"""How batches are read: `windows_per_chunk` and `shuffle_chunks` decide what is in them, most others only the speed."""

import os
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import NonNegativeInt, PositiveInt

from jepa.core.config import Config

MEGABYTE = 1 << 20
MOST_THREADS = 8
"""Taken unasked: beyond them the interpreter's lock is what threads wait for."""


class LoaderConfig(Config):
    """Settings of the loader."""

    MACHINERY: ClassVar[frozenset[str]] = frozenset(
        {"threads", "memory_megabytes", "cache_folder", "cache_megabytes", "pin_memory"}
    )
    """Fields that change nothing in any batch: a run may be continued with others."""

    kind: str = "native"
    """`native` reads by address and continues exactly; `streaming` and `webdataset` are the containers' own readers"""
    windows_per_chunk: PositiveInt = 8
    """clips cut each time a chunk is decoded; more is faster, fewer mixes chunks more finely"""
    shuffle_chunks: PositiveInt = 2
    """decoded chunks whose clips are mixed within a place of the batch; memory grows with it"""
    threads: NonNegativeInt = 0
    """threads that decode and cut; 0 takes this process's share of the machine's cores, 8 at most"""
    memory_megabytes: PositiveInt = 2048
    """frames held decoded, before they are handed out; with too little, chunks are decoded more than once"""
    cache_folder: str | None = None
    """where shards from S3 are kept; by default `jepa/shards` in $XDG_CACHE_HOME or ~/.cache"""
    cache_megabytes: NonNegativeInt = 20_000
    """limit of that folder, for all who share it; what does not fit is read chunk by chunk"""
    on_damage: Literal["stop", "skip"] = "stop"
    """`skip` counts a damaged or missing chunk and takes the clips of the next one in their place"""
    pin_memory: bool = True
    """put batches where a GPU can fetch them by itself; without a GPU it means nothing"""

    def thread_count(self) -> int:
        """Returns the number of threads, where 0 was asked for by the cores and the workers that share them."""
        if self.threads:
            return self.threads
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, min(MOST_THREADS, cores // max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))))

    def cache_path(self) -> Path:
        """Returns the folder of the cache."""
        if self.cache_folder is not None:
            return Path(self.cache_folder).expanduser().absolute()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "jepa" / "shards"
