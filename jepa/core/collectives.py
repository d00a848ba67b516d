"""Collectives that keep many processes equal to one: value and gradient.

The convention, everywhere in this project: each process's loss is the loss of the global batch, and torch's
DistributedDataParallel (DDP) averages the gradients. A differentiable collective therefore back-propagates the sum of
all processes' losses, and the average that DDP takes makes that the gradient of the one loss. Every function here also
works with no process group.

Counts (of clips, of rows) are numbers of the host: they travel between the hosts, once a step inside `sharing`, so that
no process waits for its device to know them.
"""

import contextlib
import functools
import weakref
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
    return replicated_sum(x.sum()) / global_count(x.numel())


def all_rows(x: Tensor) -> Tensor:
    """Returns the rows of all processes one after the other, for what every process makes the same use of.

    Rows are as `share_of_rows` takes them; the gradient of each comes back to the process that holds it.
    """
    if world_size() == 1:
        return x
    before, total = share_of_rows(len(x))
    shape = x.shape[1:]
    parts = [x.new_zeros(before, *shape), x, x.new_zeros(total - before - len(x), *shape)]
    return replicated_sum(torch.cat(parts))


def sum_over_hosts(number: int) -> int:
    """Returns the sum of a whole number over all processes; waits for the other hosts, and for no device."""
    if world_size() == 1:
        return number
    total = torch.tensor(number, dtype=torch.int64)
    dist.all_reduce(total, group=_host_group())
    return int(total)


def share_of_rows(count: int) -> tuple[int, int]:
    """Returns how many rows the processes before this one hold, and how many all of them hold together.

    Rows are a whole number of them per clip; inside `sharing` the clips are known and no collective is needed.
    """
    if world_size() == 1:
        return 0, count
    if _shares is not None and _shares.mine:
        return _shares.before * count // _shares.mine, _shares.total * count // _shares.mine
    if _shares is not None:
        return 0, 0
    counts = _Shares(count)
    return counts.before, counts.total


def global_count(count: int) -> int:
    """Returns the sum of a count over all processes; inside `sharing`, of one in proportion to the clips."""
    if world_size() > 1 and _shares is not None and _shares.all_hold_some:
        return _shares.total * count // _shares.mine
    return sum_over_hosts(count)


@contextlib.contextmanager
def sharing(count: int) -> Iterator[None]:
    """Tells every process, for as long as it lasts, how many clips of the global batch each holds: here `count`."""
    global _shares
    before = _shares
    if world_size() > 1:
        _shares = _Shares(count)
    try:
        yield
    finally:
        _shares = before


class _Shares:
    """How many clips each process holds; they are exchanged while the first work on them goes on already."""

    def __init__(self, count: int) -> None:
        self.mine = count
        self._counts = torch.zeros(world_size(), dtype=torch.int64)
        self._counts[rank()] = count
        self._exchange = dist.all_reduce(self._counts, group=_host_group(), async_op=True)

    @functools.cached_property
    def counts(self) -> list[int]:
        self._exchange.wait()
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
"""Of the batch that is worked on; None outside `sharing`."""


_BESIDE: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
"""Groups of host numbers by the default group, and no longer than that: what is alive when Python ends aborts it."""


def _host_group() -> Any:
    """Returns the process group for numbers of the host: the default one (None) where it takes tensors of the CPU."""
    if "cpu:" in dist.get_backend_config():
        return None
    return _gloo_beside(dist.group.WORLD)


def _gloo_beside(world: Any) -> Any:
    """Returns a second group of all processes, by gloo; NCCL takes tensors of GPUs alone."""
    if world not in _BESIDE:
        _BESIDE[world] = dist.new_group(backend="gloo")
    return _BESIDE[world]
