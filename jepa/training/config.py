"""How a step is computed, as a configuration; apart from what computes, so that it is read without torch."""

from typing import Literal

from pydantic import PositiveInt

from jepa.core.config import Config

Precision = Literal["auto", "fp32", "bf16", "fp16", "fp64"]


class ComputeConfig(Config):
    """Ways to fit a larger model or batch, or to go faster; none of them changes the mathematics."""

    accumulate: PositiveInt = 1
    """Micro-batches that the encoder splits a batch into, gradients accumulated: it keeps the activations of one and
    recomputes the others; every statistic stays that of the global batch"""
    checkpoint_activations: bool = False
    """Whether each transformer block of encoder and predictor recomputes its activations for the gradient instead of
    keeping them"""
    compile: Literal["off", "default", "reduce-overhead", "max-autotune"] = "off"
    """Mode of torch.compile for encoder and predictor; the first steps take minutes"""
    parallel: Literal["ddp", "fsdp"] = "ddp"
    """`ddp` keeps the whole model in every process, `fsdp` a shard of each weight and of the optimiser's state"""
