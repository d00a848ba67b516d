"""Settings of a loader: `windows_per_chunk` and `shuffle_chunks` decide what is in a batch, most others the speed."""

import os
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from infra.processes.machine import machine_cores
from jepa.core.config import Config

MEGABYTE = 1 << 20
THREAD = "loader"
"""Names of all threads of a loader begin so."""
MOST_THREADS = 8
"""Used where `threads` is 0: beyond them the interpreter's lock is what threads wait for."""


class LoaderConfig(Config):
    """How a loader reads; `ClipRequest` says what."""

    MACHINERY: ClassVar[frozenset[str]] = frozenset(
        {"threads", "memory_megabytes", "cache_folder", "cache_megabytes", "pin_memory"}
    )
    """Fields that change nothing in any batch: a run may be continued with others."""

    kind: str = "native"
    """`native` reads chunks by address and resumes exactly; `streaming` and `webdataset` are the official readers"""
    windows_per_chunk: int = Field(8, gt=0, le=100_000)
    """clips assembled each time a chunk is decoded; more is faster, fewer mixes chunks more finely"""
    shuffle_chunks: int = Field(2, gt=0, le=100_000)
    """decoded chunks whose clips are mixed within a slot of the batch; memory grows with it"""
    threads: int = Field(0, ge=0, le=1024)
    """threads that decode and assemble; 0 takes this process's share of the machine's cores, 8 at most"""
    memory_megabytes: PositiveInt = 2048
    """decoded frames that wait for the training; with too little, chunks are decoded more than once"""
    cache_folder: str | None = None
    """where shards from S3 are kept; by default `jepa/shards` in $XDG_CACHE_HOME or ~/.cache"""
    cache_megabytes: NonNegativeInt = 20_000
    """limit of that folder, for all jobs that share it; what does not fit is read chunk by chunk"""
    on_damage: Literal["stop", "skip"] = "stop"
    """`skip` warns of a damaged or missing chunk, counts it, and takes clips of the next usable one instead"""
    pin_memory: bool = True
    """put all parts of a batch in pinned memory, from which a GPU copies while training goes on; no GPU, no effect"""

    def thread_count(self) -> int:
        """Returns the number of threads; for `threads: 0` this process's share of the cores, 8 at most."""
        if self.threads:
            return self.threads
        return max(1, min(MOST_THREADS, machine_cores() // max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))))

    def pins_memory(self) -> bool:
        """Returns whether batches are put in pinned memory: where that is asked for and there is a GPU."""
        if not self.pin_memory:
            return False
        import torch

        return torch.cuda.is_available()

    def cache_path(self) -> Path:
        """Returns the folder of the cache."""
        if self.cache_folder is not None:
            return Path(self.cache_folder).expanduser().absolute()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "jepa" / "shards"
