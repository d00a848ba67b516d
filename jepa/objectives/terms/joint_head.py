"""A head for planners that is trained with the model, and not after it; its gradient may reach the encoder.

    L = w · (the head's own loss, of pairs of frames within the clips of the global batch)
RC-aux (arXiv:2605.07278) trains one so, with w = 0.35. A pair lies at most a clip apart, for nothing says which clips
are of one episode; `jepa fit-heads` draws its pairs over whole episodes.
Shapes: B clips, T frames, K actions of an action block, A action dimensions, D latent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from pydantic import Field, PositiveFloat, ValidationInfo, field_validator
from torch import Tensor, nn

from jepa.core.collectives import all_rows
from jepa.core.config import Config
from jepa.core.seeds import torch_generator
from jepa.models.world_model import WorldModel
from jepa.objectives.terms.clip_latents import ClipLatents
from jepa.planning.heads.head import Head, HeadSizes
from jepa.planning.heads.registry import HEADS, head_config

PAIRS = 256
"""Pairs of a step by default; a batch of clips has fewer different ones than the episodes that heads are fitted on."""
SCALES_RATE = 0.01
"""Rate at which a head's scales follow those of a batch, once the first hundred steps have been averaged."""


class JointHeadConfig(Config):
    """Which head for planners is trained with the model, if any, and how much it counts."""

    joint_head: str | None = None
    """Kind of a head for planners, such as `inverse`, that is trained with the model and kept beside it."""
    joint_head_options: dict[str, Any] = Field(default_factory=dict, validate_default=True)
    """The head's own configuration; of what says how a head is fitted, its `batch_size` alone is made use of: the pairs
    of a step."""
    joint_head_weight: PositiveFloat = 0.35
    """Of the head's loss."""
    joint_head_detached: bool = False
    """Whether the head's gradient ends at the latents, so that it teaches the model nothing; it counts in the norm that
    train_options.clip bounds all the same."""

    @field_validator("joint_head")
    @classmethod
    def _known_joint_head(cls, kind: str | None) -> str | None:
        if kind is None:
            return None
        if HEADS.get(kind).privileged:
            raise ValueError(f"head {kind!r} learns from recorded states; fit it by `jepa fit-heads` afterwards")
        if not HEADS.get(kind).joins_training:
            raise ValueError(f"head {kind!r} learns from models that stay; fit it by `jepa fit-heads` afterwards")
        return kind

    @field_validator("joint_head_options")
    @classmethod
    def _complete_joint_head_options(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # Defaults are written out, so that a stored configuration keeps its meaning when they change.
        kind = info.data.get("joint_head")
        if kind is None:
            if options and "joint_head" in info.data:
                raise ValueError("options are given and no joint_head; name one of: " + ", ".join(HEADS))
            return options
        return head_config(kind, {"batch_size": PAIRS, **options}, "joint_head_options").model_dump(mode="json")


def make_joint_head(config: JointHeadConfig, model: WorldModel) -> Head | None:
    """Returns the head that a configuration asks for, with initial weights; None where it asks for none."""
    if config.joint_head is None:
        return None
    options = head_config(config.joint_head, config.joint_head_options, "joint_head_options")
    return HEADS.get(config.joint_head)(options, HeadSizes.of(model, {}))


def joint_head_loss(
    head: Head, config: JointHeadConfig, model: WorldModel, z_BTD: Tensor, action_BTKA: Tensor, step: int, seed: int
) -> Tensor:
    """Returns the head's loss on the global batch, the same in every process: each draws the pairs of all.

    Args:
        head: in training, its scales follow those of the latents.
        config: of it.
        model: stands still for the head, as when it is fitted after the training.
        z_BTD: this process's latents.
        action_BTKA: raw action blocks between them.
        step: steps done so far; what is drawn is a function of it and of the seed.
        seed: of the run.

    Raises:
        InputError: the clips are too short for the pairs that it asks for.
    """
    z_BTD = z_BTD.detach() if config.joint_head_detached else z_BTD
    data = ClipLatents.of(all_rows(z_BTD), all_rows(action_BTKA))
    if head.training:
        _follow_scales(head, data, rate=max(SCALES_RATE, 1 / (step + 1)))
    with _standing_still(model):
        return head.loss(data, model, torch_generator(seed, "joint head", step))


@torch.no_grad()
def _follow_scales(head: Head, data: ClipLatents, rate: float) -> None:
    """Moves what the head measures once, when it is fitted to latents that stay, towards what this batch has."""
    before = {name: buffer.clone() for name, buffer in head.named_buffers()}
    head.measure(data)
    for name, buffer in head.named_buffers():
        if buffer.is_floating_point():
            buffer.copy_(before[name].lerp(buffer, rate))


@contextmanager
def _standing_still(model: WorldModel) -> Iterator[None]:
    """Has what imagines latents do so as in planning: no dropout, statistics as they are.

    Pairs are no share of a process's own clips, which is what both would take them for.
    """
    parts: tuple[nn.Module, ...] = (model.predictor, model.action_encoder)
    before = [part.training for part in parts]
    try:
        for part in parts:
            part.eval()
        yield
    finally:
        for part, training in zip(parts, before, strict=True):
            part.train(training)
