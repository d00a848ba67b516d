"""Released LeWorldModel weights into our model and back.

The released layout is the state dict of the `LeWM` class of le-wm and stable-worldmodel, whose encoder is the ViT of
Hugging Face's transformers: 303 tensors in the paper's size. Only their names and shapes are known here.
Weights are read from safetensors, or from a `.pt` file by torch's restricted loader, which runs no code of the file.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from pydantic import ValidationError
from torch import Tensor

from jepa.core.errors import InputError
from jepa.models.encoders.layouts import COUNTER, Names, layer
from jepa.models.encoders.vit import ViTConfig
from jepa.models.encoders.vit_layouts import hugging_face_vit
from jepa.models.weights_file import read_tensors, under_prefix
from jepa.models.world_model import IMAGENET_MEAN, IMAGENET_STD, ModelConfig, WorldModel

MARKER = "predictor.pos_embedding"
"""A tensor that every released model has; training wrappers save it under a prefix, beside tensors of their own."""
PATCHES = "encoder.embeddings.patch_embeddings.projection"
HIDDEN = ("projector.hidden", "predictor.projector.hidden")
"""Layers before a BatchNorm: the bias that a model of ours may lack is exactly zero."""


def read_released_weights(data: bytes, prefix: str | None = None) -> dict[str, Tensor]:
    """Returns the state dict that a `.pt` or safetensors file holds, freed of a wrapper's prefix.

    Args:
        data: bytes of the file.
        prefix: of the model's tensors, where the file holds several models.

    Raises:
        InputError: the file is neither, would have to run code to be read, or holds several models.
    """
    tensors = read_tensors(data)
    held = under_prefix(tensors, MARKER, prefix)
    return tensors if held is None else held


def released_config(tensors: Mapping[str, Tensor], frameskip: int = 5, head_size: int = 64) -> ModelConfig:
    """Returns the configuration that released weights fit, read off their shapes.

    Args:
        tensors: the released state dict.
        frameskip: environment steps of an action block; the weights know only how many values one has.
        head_size: of the attention in encoder and predictor, which the weights do not know either.

    Raises:
        InputError: a tensor is missing, or the sizes make no model of ours.
    """
    try:
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        width, _, patch_size, _ = shapes["encoder.embeddings.patch_embeddings.projection.weight"]
        patches = shapes["encoder.embeddings.position_embeddings"][1] - 1
        _, history, latent_size = shapes["predictor.pos_embedding"]
        inner_size, block_size, _ = shapes["action_encoder.patch_embed.weight"]
        encoder_mlp_size = shapes["encoder.encoder.layer.0.intermediate.dense.weight"][0]
        predictor_options = {
            "depth": _depth(shapes, "predictor.transformer.layers."),
            "heads": shapes["predictor.transformer.layers.0.attn.to_qkv.weight"][0] // (3 * head_size),
            "head_size": head_size,
            "mlp_size": shapes["predictor.transformer.layers.0.mlp.net.1.weight"][0],
            "action_mlp_size": shapes["action_encoder.embed.0.weight"][0],
            "action_inner_size": inner_size,
            "dropout": 0.1,
            "projector_size": shapes["pred_proj.net.0.weight"][0],
        }
        projector_size = shapes["projector.net.0.weight"][0]
        attention_sizes = width, shapes["predictor.transformer.layers.0.attn.to_out.0.weight"][1]
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"the weights are not in the released LeWM layout: {error} is missing or misshapen") from error
    if any(size % head_size for size in attention_sizes):
        raise InputError(
            f"attention of {attention_sizes[0]} and {attention_sizes[1]} values has no heads of head_size {head_size}; "
            "give another"
        )
    if block_size % frameskip:
        raise InputError(
            f"a block of {block_size} action values is not a multiple of frameskip {frameskip}; give another"
        )
    try:
        return ModelConfig(
            image_size=patch_size * math.isqrt(patches),
            action_size=block_size // frameskip,
            frameskip=frameskip,
            history=history,
            latent_size=latent_size,
            encoder="vit",
            encoder_options={
                "patch_size": patch_size,
                "depth": _depth(shapes, "encoder.encoder.layer."),
                "heads": width // head_size,
                "width": width,
                "mlp_ratio": encoder_mlp_size // width,
                "norm_eps": 1e-12,
            },
            pixel_scaling="imagenet",
            projector_size=projector_size,
            projector_bias=True,
            predictor="paper",
            predictor_options=predictor_options,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"the released weights make no model: {first['loc']}: {first['msg']}") from error


def import_lewm(
    tensors: Mapping[str, Tensor],
    config: ModelConfig | None = None,
    action_mean: Sequence[float] | None = None,
    action_std: Sequence[float] | None = None,
) -> WorldModel:
    """Returns our model with released weights, in evaluation mode.

    Args:
        tensors: the released state dict.
        config: what `released_config` gives by default.
        action_mean, action_std: (A,) of the data it was trained on; left out, the model takes z-scored actions.

    Raises:
        InputError: a tensor is missing, too many, or of another shape; the message names it.
    """
    config = config or released_config(tensors)
    model = WorldModel.from_config(config)
    ours = model.state_dict()
    left = {name for name in tensors if not name.endswith(COUNTER)}
    for name, theirs in _names(config):
        missing = [their for their in theirs if their not in tensors]
        if missing:
            raise InputError(f"the weights are not in the released LeWM layout: tensor {missing[0]!r} is missing")
        joined = torch.cat([tensors[their].detach().float() for their in theirs])
        if joined.numel() != ours[name].numel() or joined.shape[0] != ours[name].shape[0]:
            raise InputError(
                f"tensor {theirs[0]!r} is of shape {tuple(joined.shape)}, the configuration asks for "
                f"{tuple(ours[name].shape)}"
            )
        ours[name] = joined.view_as(ours[name])
        left -= set(theirs)
    if left:
        raise InputError(f"tensor {min(left)!r} is not part of the released LeWM layout")
    model.load_state_dict(ours)
    model.set_action_statistics(
        torch.zeros(config.action_size) if action_mean is None else action_mean,
        torch.ones(config.action_size) if action_std is None else action_std,
    )
    return model.eval()


def export_lewm(model: WorldModel) -> dict[str, Tensor]:
    """Returns a model's weights in the released layout; action statistics are no part of it.

    A released model takes pixels scaled by ImageNet's statistics and has biases before its BatchNorms; a model that
    takes others, or has none, is written as the released one that computes the same, to rounding. The encoder's
    `norm_eps` is no part of the layout; the released encoder's is 1e-12.

    Raises:
        InputError: the model is not of the released form.
    """
    config = model.config
    if config.encoder != "vit" or config.predictor != "paper" or config.projector != "mlp":
        raise InputError(
            f"only a model of the released form can be exported: encoder 'vit' (got {config.encoder!r}), "
            f"predictor 'paper' (got {config.predictor!r}), projector 'mlp' (got {config.projector!r})"
        )
    for option in ("output", "resize", "layer_scale", "registers"):
        if config.encoder_options[option] != ViTConfig.model_fields[option].default:
            raise InputError(
                f"encoder_options.{option} {config.encoder_options[option]!r} has no place in the released form; "
                "only a plain ViT can be exported"
            )
    ours = model.state_dict()
    for hidden in HIDDEN:
        ours.setdefault(f"{hidden}.bias", torch.zeros(len(ours[f"{hidden}.weight"])))
    released: dict[str, Tensor] = {}
    for name, theirs in _names(config):
        for their, tensor in zip(theirs, ours[name].detach().cpu().chunk(len(theirs)), strict=True):
            # A convolution over time of one step, where ours is a linear layer.
            released[their] = (tensor[..., None] if their == "action_encoder.patch_embed.weight" else tensor).clone()
    for norm in ("projector.net.1", "pred_proj.net.1"):
        released[f"{norm}.{COUNTER}"] = torch.tensor(0)
    if config.pixel_scaling == "unit":
        _take_imagenet_pixels(released)
    return released


def _take_imagenet_pixels(released: dict[str, Tensor]) -> None:
    """Changes the patch embedding for pixels p scaled as (p/255 - μ)/σ in the place of 2p/255 - 1, channel by channel.

    2p/255 - 1 = 2σ · (p/255 - μ)/σ + (2μ - 1), so W becomes 2σW and b becomes b + Σ W (2μ - 1).
    """
    weight, bias = released[f"{PATCHES}.weight"].double(), released[f"{PATCHES}.bias"].double()
    mean, std = (torch.tensor(values, dtype=torch.float64).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    released[f"{PATCHES}.weight"] = (weight * 2 * std).float()
    released[f"{PATCHES}.bias"] = (bias + (weight * (2 * mean - 1)).sum((1, 2, 3))).float()


def _names(config: ModelConfig) -> Names:
    """Yields each of our tensors with the released ones that, one below another, make it."""
    for name, released in hugging_face_vit(ViTConfig.model_validate(config.encoder_options)):
        yield f"encoder.{name}", tuple(f"encoder.{part}" for part in released)
    yield "predictor.position", ("predictor.pos_embedding",)
    yield from layer("predictor.norm", "predictor.transformer.norm")
    for i in range(config.predictor_options["depth"]):
        ours, theirs = f"predictor.blocks.{i}", f"predictor.transformer.layers.{i}"
        yield from layer(f"{ours}.attention_norm", f"{theirs}.attn.norm")
        yield f"{ours}.attention.qkv.weight", (f"{theirs}.attn.to_qkv.weight",)
        yield from layer(f"{ours}.attention.out", f"{theirs}.attn.to_out.0")
        for part in (0, 1, 4):
            yield from layer(f"{ours}.mlp.{part}", f"{theirs}.mlp.net.{part}")
        yield from layer(f"{ours}.modulation.1", f"{theirs}.adaLN_modulation.1")
    for ours, theirs in (("layers.0", "patch_embed"), ("layers.1", "embed.0"), ("layers.3", "embed.2")):
        yield from layer(f"action_encoder.{ours}", f"action_encoder.{theirs}")
    for ours, theirs in (("projector", "projector"), ("predictor.projector", "pred_proj")):
        yield from layer(f"{ours}.hidden", f"{theirs}.net.0")
        yield from layer(f"{ours}.norm", f"{theirs}.net.1")
        for moment in ("running_mean", "running_var"):
            yield f"{ours}.norm.{moment}", (f"{theirs}.net.1.{moment}",)
        yield from layer(f"{ours}.out", f"{theirs}.net.3")


def _depth(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> int:
    return len({name.removeprefix(prefix).split(".")[0] for name in shapes if name.startswith(prefix)})
