"""How a step is computed: what it costs in memory and time, and nothing of what is learned.

FSDP2 is torch's `fully_shard`: each process holds a shard of every weight and of its optimiser state.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from jepa.core.collectives import world_size
from jepa.core.errors import InputError
from jepa.models.layers.batch_norm import GlobalBatchNorm
from jepa.models.layers.recompute import recompute_each
from jepa.objectives.objective import Objective
from jepa.training.config import ComputeConfig as ComputeConfig

SYNC_BUFFERS = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    else "broadcast_buffers"
)
"""What DDP calls its option to send buffers in every step; torch 2.15 renamed it."""


def prepare(objective: Objective, compute: ComputeConfig) -> None:
    """Sets how the objective's model computes; weights and their names stay.

    Raises:
        InputError: the encoder's frames depend on each other, so that it cannot split them into micro-batches.
    """
    model = objective.model
    if compute.accumulate > 1 and any(isinstance(module, GlobalBatchNorm) for module in model.encoder.modules()):
        raise InputError(
            f"accumulate {compute.accumulate} does not fit encoder {model.config.encoder!r}: its BatchNorm ties all "
            "frames of the batch together; take encoder 'vit' or 'conv', or accumulate 1 with checkpoint_activations"
        )
    model.micro_batches = compute.accumulate
    if compute.checkpoint_activations:
        recompute_each(transformer_blocks(objective))
    if compute.compile != "off":
        for part in (model.encoder, model.predictor):
            part.compile(mode=compute.compile)


def parallelised(objective: Objective, compute: ComputeConfig, device: torch.device) -> nn.Module:
    """Returns the module whose forward pass trains the objective together with all other processes.

    Raises:
        InputError: the objective changes weights itself, for which it needs them whole.
    """
    if world_size() == 1:
        return objective
    if compute.parallel == "ddp":
        # No step needs to send buffers: GlobalBatchNorm keeps them equal. DDP gives every process rank 0's weights.
        options: dict[str, Any] = {SYNC_BUFFERS: False, "gradient_as_bucket_view": True}
        return DistributedDataParallel(objective, **options)
    if objective.moves_weights:
        raise InputError(
            f"parallel 'fsdp' does not fit objective {type(objective).__name__}, whose teacher follows the whole "
            "model; take parallel 'ddp'"
        )
    # Imported here: they bring in a symbolic algebra, which takes every process three seconds.
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    for tensor in objective.state_dict().values():
        dist.broadcast(tensor, src=0)  # as DDP does: all start from the weights of one
    mesh = init_device_mesh(device.type, (world_size(),))
    for block in transformer_blocks(objective):
        fully_shard(block, mesh=mesh)
    fully_shard(objective, mesh=mesh)
    return objective


def transformer_blocks(objective: Objective) -> Iterable[nn.Module]:
    """Yields the transformer blocks of encoder and predictor, and whichever of the two has none as a whole."""
    for part in (objective.model.encoder, objective.model.predictor):
        held = getattr(part, "blocks", None)
        yield from held if held is not None else [part]


def whole(tensor: Tensor) -> Tensor:
    """Returns the whole of a tensor of which this process may hold a shard; a collective where it does."""
    # A shard is recognised by what it can do: importing its type takes every process seconds.
    gather: Callable[[], Tensor] | None = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else gather()


def shared_like(tensor: Tensor, held: Tensor) -> Tensor:
    """Returns this process's shard of a whole tensor, sharded as `held` is."""
    if not hasattr(held, "full_tensor"):
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(held, DTensor)
    return distribute_tensor(tensor.to(held.device), held.device_mesh, held.placements)
