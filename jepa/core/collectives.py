"""Collectives that keep many processes equal to one: value and gradient.

The convention, everywhere in this project: each process's loss is the loss of the global batch, and torch's
DistributedDataParallel (DDP) averages the gradients. A differentiable collective therefore back-propagates the sum of
all processes' losses, and the average that DDP takes makes that the gradient of the one loss. Every function here also
works with no process group.
"""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """Returns the number of training processes, 1 where no process group is initialised."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Returns this process's place among them, 0 where no process group is initialised."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


class _AllReduceSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.detach().clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        total = grads[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


def all_reduce_sum(x: Tensor) -> Tensor:
    """Returns the sum of x over all processes, differentiably; x itself, untouched, where there is one process."""
    if world_size() == 1:
        return x
    total: Tensor = _AllReduceSum.apply(x)
    return total


class _ReplicatedSum(_AllReduceSum):
    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0] * world_size()


def replicated_sum(x: Tensor) -> Tensor:
    """Returns what `all_reduce_sum` does, for a sum that every process makes the same use of.

    The gradients that come back are then equal, and their sum needs no collective.
    """
    if world_size() == 1:
        return x
    total: Tensor = _ReplicatedSum.apply(x)
    return total


def global_mean(x: Tensor) -> Tensor:
    """Returns the mean of x over all processes, a scalar; processes may hold different numbers of values."""
    if world_size() == 1:
        return x.mean()
    return replicated_sum(x.sum()) / global_count(x.numel(), x.device)


def share_of_rows(count: int, device: torch.device | None = None) -> tuple[int, int]:
    """Returns how many rows the processes before this one hold, and how many all of them hold together.

    Rows are a whole number of them per clip; inside `sharing` the clips are known and no collective is needed.
    """
    if world_size() == 1:
        return 0, count
    if _shares is not None and _shares.mine:
        return _shares.before * count // _shares.mine, _shares.total * count // _shares.mine
    if _shares is not None:
        return 0, 0
    counts = _Shares(count, device)
    return counts.before, counts.total


def global_count(count: int, device: torch.device | None = None) -> int:
    """Returns the sum of a count over all processes; inside `sharing`, of one in proportion to the clips."""
    if world_size() == 1:
        return count
    if _shares is not None and _shares.all_hold_some:
        return _shares.total * count // _shares.mine
    total = torch.tensor(count, dtype=torch.int64, device=device)
    dist.all_reduce(total)
    return int(total)


@contextlib.contextmanager
def sharing(count: int, device: torch.device | None = None) -> Iterator[None]:
    """Tells every process, for as long as it lasts, how many clips of the global batch each holds: here `count`."""
    global _shares
    before = _shares
    if world_size() > 1:
        _shares = _Shares(count, device)
    try:
        yield
    finally:
        _shares = before


class _Shares:
    """How many clips each process holds; told while the first work on them goes on already."""

    def __init__(self, count: int, device: torch.device | None) -> None:
        self.mine = count
        self._counts = torch.zeros(world_size(), dtype=torch.int64, device=device)
        self._counts[rank()] = count
        self._told = dist.all_reduce(self._counts, async_op=True)

    @functools.cached_property
    def counts(self) -> list[int]:
        self._told.wait()
        return [int(count) for count in self._counts.tolist()]

    @property
    def before(self) -> int:
        return sum(self.counts[: rank()])

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def all_hold_some(self) -> bool:
        return min(self.counts) > 0


_shares: _Shares | None = None
"""Of the batch that is worked on; None where nobody has told."""
