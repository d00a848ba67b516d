"""Published weights into a model's encoder, from any layout that the encoder knows, or from a model of ours.

Shapes: P positions of a ViT, one for the class token and one a patch; E their size.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from jepa.core.errors import InputError
from jepa.models.encoders.layouts import Layout
from jepa.models.world_model import WorldModel

ENCODER, PROJECTOR = "encoder.", "projector."
"""How the tensors begin that make latents of frames."""


def load_encoder(model: WorldModel, tensors: Mapping[str, Tensor], prefix: str | None = None) -> None:
    """Gives a model's encoder, and its projector if it has one, the weights of a state dict.

    A projector's weights are only in models of ours. On the meta device it is checked that they fit, and no more.

    Args:
        model: whose encoder gets them.
        tensors: the state dict.
        prefix: of the tensors to take, where there are those of several models.

    Raises:
        InputError: the layout is not known, there are several models, or a tensor is missing, too many, or of another
            shape.
    """
    ours = {name: tensor for name, tensor in model.state_dict().items() if name.startswith((ENCODER, PROJECTOR))}
    layout, before, held = _recognise(tensors, model, ours, prefix)
    loaded, left = {}, {name for name in held if not name.startswith(layout.unused)}
    for name, theirs in layout.names(model.encoder.config):
        loaded[before + name] = _joined(before + name, theirs, held, ours, layout)
        left -= set(theirs)
    if left:
        raise InputError(
            f"tensor {min(left)!r} of the weights ({layout.title}) has no place in encoder "
            f"{model.config.encoder!r}; set model.encoder_options as the weights ask for"
        )
    absent = sorted(ours.keys() - loaded.keys())
    if absent:
        remedy = (
            "model.projector 'none'" if absent[0].startswith(PROJECTOR) else "model.encoder_options as they ask for"
        )
        raise InputError(f"the weights ({layout.title}) have nothing for tensor {absent[0]!r}; set {remedy}")
    if not model.action_mean.is_meta:
        model.load_state_dict(loaded, strict=False)


def _recognise(
    tensors: Mapping[str, Tensor], model: WorldModel, ours: Mapping[str, Tensor], prefix: str | None
) -> tuple[Layout, str, dict[str, Tensor]]:
    """Returns the layout of a state dict, what our names have before those it gives, and its tensors by its names."""
    own = Layout("a model of this project", next(iter(ours)), lambda config: ((name, (name,)) for name in ours))
    held = own.find(tensors, prefix)
    if held is not None:
        parts = (ENCODER, PROJECTOR) if model.config.projector == "mlp" else (ENCODER,)
        return own, "", {name: tensor for name, tensor in held.items() if name.startswith(parts)}
    for layout in model.encoder.layouts:
        held = layout.find(tensors, prefix)
        if held is not None:
            return layout, ENCODER, held
    looked_for = ", ".join(f"{layout.marker!r} ({layout.title})" for layout in (own, *model.encoder.layouts))
    raise InputError(
        f"the weights are in no layout that encoder {model.config.encoder!r} knows, which would have one of the "
        f"tensors {looked_for}"
    )


def _joined(
    name: str, theirs: tuple[str, ...], held: Mapping[str, Tensor], ours: Mapping[str, Tensor], layout: Layout
) -> Tensor:
    """Returns our tensor `name`, made of theirs."""
    missing = next((their for their in theirs if their not in held), None)
    if missing is not None:
        raise InputError(
            f"the weights ({layout.title}) lack tensor {missing!r}; set model.encoder_options as they ask for"
        )
    joined, shape = torch.cat([held[their].detach().float() for their in theirs]), ours[name].shape
    if name == f"{ENCODER}position":
        joined = resize_positions(joined, shape[1], antialias=f"{ENCODER}registers" in ours)
    if joined.shape != shape:
        raise InputError(
            f"tensor {theirs[0]!r} of the weights ({layout.title}) is of shape {tuple(joined.shape)}, the model's of "
            f"{tuple(shape)}; set model.encoder_options as the weights ask for"
        )
    return joined


def resize_positions(position_1PE: Tensor, positions: int, antialias: bool = False) -> Tensor:
    """Returns a ViT's table of positions for another square grid of patches, bicubic as Hugging Face's ViTs do it.

    A table that is no class token and a square grid is returned as it is. DINOv2 with registers smoothes what it
    shrinks (`antialias`); the own code of DINOv2 without shifts the grid by a tenth of a patch, which is left out here.
    """
    side, wanted = math.isqrt(position_1PE.shape[1] - 1), math.isqrt(positions - 1)
    if side == wanted or side**2 + 1 != position_1PE.shape[1] or wanted**2 + 1 != positions:
        return position_1PE
    grid_1EHW = position_1PE[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    grid_1EHW = F.interpolate(grid_1EHW, (wanted, wanted), mode="bicubic", align_corners=False, antialias=antialias)
    return torch.cat([position_1PE[:, :1], grid_1EHW.flatten(2).transpose(1, 2)], dim=1)
