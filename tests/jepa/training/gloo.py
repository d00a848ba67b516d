"""Runs a function in several real processes joined by gloo, and hands back what each returned."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.multiprocessing.spawn import spawn

Worker = Callable[..., dict[str, Tensor]]


def run_in_processes(worker: Worker, count: int, *args: Any) -> list[dict[str, Tensor]]:
    """Returns each process's result; `worker(rank, *args)` is a function at the top of a module."""
    with tempfile.TemporaryDirectory() as folder:
        spawn(_join_and_run, (count, folder, worker, args), nprocs=count)
        return [load_file(Path(folder) / f"{rank}.safetensors") for rank in range(count)]


def _join_and_run(rank: int, count: int, folder: str, worker: Worker, args: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=count)
    try:
        result = worker(rank, *args)
        save_file(
            {name: tensor.detach().contiguous() for name, tensor in result.items()}, f"{folder}/{rank}.safetensors"
        )
    finally:
        dist.destroy_process_group()


def part(x: Tensor, rank: int, sizes: tuple[int, ...], dim: int = 0) -> Tensor:
    """Returns the rank's part of a global batch that is shared out in these sizes."""
    own: Tensor = x.split(sizes, dim)[rank]
    return own
