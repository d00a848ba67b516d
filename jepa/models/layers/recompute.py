"""Activation checkpointing: activations are dropped after the forward pass and computed again for the gradient.

Chen et al. 2016 (arXiv:1604.06174). The second pass draws the same dropout and moves no running statistic.
"""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from jepa.models.layers.batch_norm import held_running_statistics


def recomputed(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Returns function(*inputs), holding nothing of its inside until the gradient asks for it."""
    if not torch.is_grad_enabled():
        return function(*inputs)
    result: Tensor = checkpoint(
        function, *inputs, use_reentrant=False, context_fn=lambda: (contextlib.nullcontext(), held_running_statistics())
    )
    return result


def recompute_each(modules: Iterable[nn.Module]) -> None:
    """Makes each of the modules recompute its inside from now on, while training; weights keep their names."""
    for module in modules:
        module.forward = _recomputing(module, module.forward)


def _recomputing(module: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *inputs: recomputed(forward, *inputs) if module.training else forward(*inputs)
