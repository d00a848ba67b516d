"""A decoder from frozen latents to pictures, fitted after the fact: what a latent holds, for eyes.

Shapes: N frames, D latent dimensions, R side of a picture in pixels.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from jepa.core.config import Config
from jepa.core.episodes import EpisodeSource, Pixels
from jepa.core.seeds import derive_seed, seeded, torch_generator
from jepa.evaluation.kinds.probing.probes import Scale
from jepa.evaluation.latents import drawn_frames
from jepa.models.decoder import PatchDecoder, PatchDecoderConfig, frames, pictures
from jepa.models.encoding import encode_pixels, in_batches
from jepa.models.world_model import WorldModel

Floats = NDArray[np.float32]


class DecoderFitConfig(Config):
    """The decoder, what it is fitted to and for how long; part of the protocol, for all of it decides what is seen."""

    side: PositiveInt = 64
    """R at most; frames are averaged down to the largest multiple of the patches that fits them"""
    decoder: PatchDecoderConfig = PatchDecoderConfig()
    """sizes of the decoder"""
    train_frames: PositiveInt = 4000
    """frames of the training split that it is fitted to"""
    steps: PositiveInt = 1000
    """optimiser steps, along a cosine to zero"""
    batch_size: PositiveInt = 32
    """frames of an optimiser step"""
    learning_rate: PositiveFloat = 2e-3
    """peak learning rate of Adam"""

    def side_of(self, image_size: int) -> int:
        """Returns R for frames of a size."""
        patches = self.decoder.patches
        return max(1, min(self.side, image_size) // patches) * patches


@dataclass(frozen=True)
class FittedDecoder:
    """A decoder with the scale of its latents."""

    scale: Scale
    decoder: PatchDecoder

    @torch.inference_mode()
    def draw(self, z_ND: Floats) -> Tensor:
        """Returns pictures (N, 3, R, R) within [-1, 1], on the CPU."""
        device = self.decoder.mean_CHW.device
        parts = torch.from_numpy(self.scale.normalise(z_ND)).split(256)
        return torch.cat([self.decoder(part.to(device)).clamp(-1, 1).cpu() for part in parts])

    def frames(self, z_TD: Tensor) -> Pixels:
        """Returns pictures of latents (T, D) as frames uint8 (T, R, R, 3)."""
        return frames(self.draw(z_TD.float().cpu().numpy())).numpy()

    @property
    def mean(self) -> Tensor:
        """The mean training picture (3, R, R), the best that can be drawn without looking at the latent."""
        return self.decoder.mean_CHW.cpu()


def fit_decoder(
    model: WorldModel, source: EpisodeSource, config: DecoderFitConfig | None = None, seed: int = 0
) -> FittedDecoder:
    """Returns a decoder fitted to training frames by their mean squared error; the model learns nothing from it.

    Raises:
        InputError: there are no training episodes.
    """
    config = config or DecoderFitConfig()
    side = config.side_of(model.config.image_size)
    latents, small = [], []
    chosen = (episode.frames_at(rows) for episode, rows in drawn_frames(source, "train", config.train_frames, seed))
    for pixels in in_batches(chosen):
        latents.append(encode_pixels(model, pixels))
        small.append(frames(pictures(torch.from_numpy(pixels), side)))
    z_ND = np.concatenate(latents)
    scale = Scale.of(z_ND)
    decoder = _fit(scale.normalise(z_ND), torch.cat(small), config, derive_seed(seed, "decoder"), _device(model))
    return FittedDecoder(scale, decoder)


def shrunk(pixels_NHWC: Pixels, side: int) -> Tensor:
    """Returns what a decoder should draw of frames, (N, 3, R, R)."""
    return pictures(torch.from_numpy(np.ascontiguousarray(pixels_NHWC)), side)


def _fit(z_ND: Floats, small_NRRC: Tensor, config: DecoderFitConfig, seed: int, device: torch.device) -> PatchDecoder:
    side = small_NRRC.shape[1]
    mean_CHW = small_NRRC.double().mean(0).permute(2, 0, 1).float() / 127.5 - 1
    with seeded(seed, "weights"):
        decoder = PatchDecoder(z_ND.shape[1], mean_CHW, config.decoder).to(device)
    z = torch.from_numpy(z_ND)
    generator = torch_generator(seed, "batches")
    optimiser = torch.optim.Adam(decoder.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    for _ in range(config.steps):
        index = torch.randint(len(z), (config.batch_size,), generator=generator)
        optimiser.zero_grad(set_to_none=True)
        drawn = decoder(z[index].to(device))
        nn.functional.mse_loss(drawn, pictures(small_NRRC[index].to(device), side)).backward()
        optimiser.step()
        schedule.step()
    return decoder.eval()


def _device(model: WorldModel) -> torch.device:
    return next(model.parameters()).device
