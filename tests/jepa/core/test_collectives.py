"""Collectives on real gloo processes, with uneven and with empty parts, and with no process group at all."""

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from jepa.core.collectives import (
    all_reduce_sum,
    global_count,
    global_mean,
    rank,
    replicated_sum,
    share_of_rows,
    sharing,
    sum_over_hosts,
    world_size,
)
from tests.jepa.training.gloo import run_in_processes

CLIPS = ((5, 2), (4, 0))
"""How many clips each of two processes holds."""


def test_with_no_process_group_they_are_plain() -> None:
    x = torch.tensor([1.0, 3.0])
    assert (world_size(), rank()) == (1, 0)
    assert all_reduce_sum(x) is x and replicated_sum(x) is x and float(global_mean(x)) == 2.0
    with sharing(5):
        assert (global_count(10), share_of_rows(10), sum_over_hosts(3)) == (10, (0, 10), 3)


def counts(this_rank: int) -> dict[str, Tensor]:
    results: dict[str, Tensor] = {}
    for clips in CLIPS:
        mine = clips[this_rank]
        outside = [*share_of_rows(3 * mine), global_count(3 * mine)]
        with sharing(mine):
            inside = [*share_of_rows(3 * mine), global_count(3 * mine)]
            with sharing(7):
                nested = global_count(7)
            inside.append(global_count(mine))
        results[f"{clips}"] = torch.tensor([outside, inside[:3], [inside[3], nested, sum_over_hosts(this_rank + 1)]])
    # Where the default group takes tensors of GPUs alone, counts go through a second one.
    before = dist.get_backend_config
    dist.get_backend_config = lambda *group: "cuda:nccl"
    try:
        results["beside"] = torch.tensor([sum_over_hosts(10 + this_rank), global_count(this_rank)])
    finally:
        dist.get_backend_config = before
    return results


def gradients(this_rank: int) -> dict[str, Tensor]:
    results: dict[str, Tensor] = {}
    for name, reduce in (("all_reduce_sum", all_reduce_sum), ("replicated_sum", replicated_sum)):
        x = torch.tensor([1.0, 2.0]).add_(this_rank).requires_grad_()
        total = reduce(x)
        total.square().sum().backward()
        assert x.grad is not None
        results |= {f"{name}/value": total, f"{name}/grad": x.grad}
    return results


def counts_and_gradients(this_rank: int) -> dict[str, Tensor]:
    return counts(this_rank) | gradients(this_rank)


@pytest.mark.slow
def test_two_processes_know_each_other_s_counts_and_sum_values_and_gradients() -> None:
    results = run_in_processes(counts_and_gradients, 2)
    for this_rank, result in enumerate(results):
        for clips in CLIPS:
            before, total = sum(clips[:this_rank]), sum(clips)
            outside, inside, rest = result[f"{clips}"].tolist()
            assert outside == [3 * before, 3 * total, 3 * total]
            # A process without clips has no rows, whatever the others hold.
            assert inside == [*((3 * before, 3 * total) if clips[this_rank] else (0, 0)), 3 * total]
            assert rest == [total, 14, 3]
        assert result["beside"].tolist() == [21, 1]
        for name in ("all_reduce_sum", "replicated_sum"):
            assert result[f"{name}/value"].tolist() == [3.0, 5.0]
            # The sum of two equal losses Σ total²: 2 processes × 2 × total.
            assert result[f"{name}/grad"].tolist() == [12.0, 20.0]
