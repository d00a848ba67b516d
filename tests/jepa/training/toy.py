"""A toy world for training tests: a bright square that moves by its action, seen at 32 × 32 pixels."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from jepa.core.clips import Clips
from jepa.models.files import save_model
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.objectives import make_objective
from jepa.training.compute import ComputeConfig
from jepa.training.trainer import TrainConfig, Trainer

SIZE, SKIP = 32, 4
PATCHES = {
    "encoder": "vit",
    "encoder_options": {"patch_size": 8, "depth": 1, "heads": 2, "width": 8, "output": "patches"},
    "projector": "none",
    "latent_size": 16 * 8,
}
"""Latents of 16 tokens."""
BESIDE: dict[str, Any] = {
    "open_loop_horizons": 2,
    "joint_head": "inverse",
    "joint_head_options": {"width": 8, "depth": 1, "batch_size": 32},
    "sigreg": {"directions": 32},
}
"""What an objective that predicts may be asked for beside its own terms, within clips of four frames."""
CONFIG = TrainConfig(steps=60, batch_size=16, learning_rate=2e-3, precision="fp32", log_every=1)


def toy_clips(count: int, frames: int = 4, seed: int = 0) -> Clips:
    """Returns clips of the square, a pure function of the arguments."""
    generator = torch.Generator().manual_seed(seed)
    action_BTKA = torch.rand(count, frames - 1, SKIP, 2, generator=generator) * 2 - 1
    start_B12 = 4 + torch.rand(count, 1, 2, generator=generator) * (SIZE - 8)
    place_BT2 = torch.cat([start_B12, start_B12 + action_BTKA.sum(2).cumsum(1)], dim=1).clamp(3, SIZE - 4)
    axis = torch.arange(SIZE)
    inside = ((axis - place_BT2[..., None]).abs() < 2.5)[..., None]
    square_BTHW = inside[:, :, 1] & inside[:, :, 0].transpose(-1, -2)
    pixels_BTHWC = (square_BTHW[..., None] * torch.tensor([200, 40, 40]) + 20).to(torch.uint8)
    return Clips(pixels_BTHWC, action_BTKA, {"place": place_BT2})


def toy_trainer(
    config: TrainConfig = CONFIG,
    seed: int = 0,
    dropout: float = 0.0,
    history: int = 1,
    predictor: str = "lean",
    objective: str = "lewm",
    options: Mapping[str, Any] | None = None,
    encoder: str = "conv",
    encoder_options: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
    compute: ComputeConfig | None = None,
    device: str = "cpu",
) -> Trainer:
    """Returns a trainer of a tiny model on the toy world; a frozen encoder has random weights, the same for all.

    Args:
        config: of the training.
        seed: of the weights of model and objective; what a step draws comes from the configuration's.
        dropout, history: of the predictor.
        predictor: its registered name.
        objective, options: what is minimised.
        encoder, encoder_options: of the model.
        fields: of the model's configuration, over all the others.
        compute: how it is computed.
        device: where.
    """
    sizes = {"depth": 1, "heads": 2, "head_size": 8, "mlp_size": 32, "dropout": dropout}
    # The released predictor is as wide as the latent.
    own = {"projector_size": 24} if predictor == "paper" else {"width": 16}
    sized = {"image_size": SIZE, "frameskip": SKIP, "history": history, "latent_size": 6, "projector_size": 16}
    made_of = {
        "encoder": encoder,
        "encoder_options": {"channels": (8, 8, 8)} if encoder_options is None else dict(encoder_options),
        "predictor": predictor,
        "predictor_options": sizes | own,
    }
    model = ModelConfig.model_validate({**sized, **made_of, **(fields or {})})
    if options is None:
        options = {"sigreg": {"directions": 32}}
    named: contextlib.AbstractContextManager[dict[str, str]] = contextlib.nullcontext({})
    if objective == "frozen":
        named = toy_weights(model)
    with named as weights:
        made = make_objective(objective, WorldModel.from_config(model, seed), {**weights, **options}, seed)
    return Trainer(made, config, device, compute)


@contextlib.contextmanager
def toy_weights(config: ModelConfig, seed: int = 5) -> Iterator[dict[str, str]]:
    """Yields options that name a file with a model's weights, for as long as it lasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        path.write_bytes(save_model(WorldModel.from_config(config, seed))[0])
        yield {"weights": str(path)}
