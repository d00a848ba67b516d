"""What a training step keeps in memory, found by one forward pass of a few clips.

Shapes: B clips, T frames, H × W pixels, C colours, K actions of an action block, A action dimensions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.seeds import seeded
from jepa.models.world_model import WorldModel
from jepa.objectives import make_objective
from jepa.objectives.objective import Objective
from jepa.training.compute import prepare
from jepa.training.config import ComputeConfig
from jepa.training.precision import half_of
from jepa.training.recipes import Recipe

TRIALS = (2, 4)
"""Clips of two forward passes: what grows between them is a clip's, the rest belongs to none. BatchNorm wants two."""


@dataclass(frozen=True)
class StepMemory:
    """Bytes of one process; what a kernel takes while it runs is not in it, so that it is a lower bound."""

    parameters: int
    """numbers in the model's weights"""
    state: int
    """bytes of weights, gradients and the optimiser's moments"""
    fixed: int
    """bytes kept for the gradient, whatever the batch"""
    clip: int
    """bytes kept for the gradient of each clip, its frames included"""

    def total(self, clips: int) -> int:
        """Returns the bytes of a step on so many clips."""
        return self.state + self.fixed + self.clip * clips


def step_memory(
    recipe: Recipe, compute: ComputeConfig, device: torch.device, quantities: Mapping[str, int] | None = None
) -> StepMemory:
    """Measures what a recipe for a world's sizes keeps; the passes run on the CPU, in the precision of `device`.

    Args:
        recipe: all fields resolved.
        compute: how a step is computed.
        device: of the training.
        quantities: dimensions of the quantities that clips come with.

    Raises:
        InputError: the recipe cannot be computed so.
    """
    model = WorldModel.from_config(recipe.model)
    objective = make_objective(recipe.objective, model, recipe.objective_options).train()
    prepare(objective, compute.model_copy(update={"compile": "off"}))
    with seeded(0, "memory"):
        few, more = (_kept(objective, recipe, _clips(recipe, count, quantities or {}), device) for count in TRIALS)
    clip = (more - few) // (TRIALS[1] - TRIALS[0])
    # Weight, gradient and AdamW's two moments of what is trained; of a teacher the weight alone.
    state = sum(one.numel() * one.itemsize * (4 if one.requires_grad else 1) for one in objective.parameters())
    return StepMemory(sum(one.numel() for one in model.parameters()), state, max(few - TRIALS[0] * clip, 0), clip)


def _kept(objective: Objective, recipe: Recipe, clips: Clips, device: torch.device) -> int:
    """Returns the bytes of the clips and of all storages that a forward pass saves for its gradient."""
    kept: dict[int, torch.UntypedStorage] = {}
    weights = {weight.untyped_storage().data_ptr() for weight in objective.parameters()}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage  # held, so that no other one gets its address
        return tensor

    half = half_of(recipe.train.precision, device)
    with (
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        torch.autocast("cpu", half or torch.bfloat16, enabled=half is not None),
    ):
        objective(clips, 0, recipe.train.steps, False)
    return clips.pixels_BTHWC.nbytes + sum(storage.nbytes() for storage in kept.values())


def _clips(recipe: Recipe, count: int, quantities: Mapping[str, int]) -> Clips:
    model = recipe.model
    frames, side = model.history + recipe.train.horizon, model.image_size
    pixels_BTHWC = torch.randint(0, 256, (count, frames, side, side, 3), dtype=torch.uint8)
    action_BTKA = torch.randn(count, frames - 1, model.frameskip, model.action_size)
    state = {name: torch.randn(count, frames, size) for name, size in quantities.items()}
    return Clips(pixels_BTHWC, action_BTKA, state)
