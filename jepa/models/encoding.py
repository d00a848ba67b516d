"""Frames turned into latents, few at a time, however many there are.

Shapes: N frames, H × W pixels, D latent dimensions.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from jepa.core.episodes import Pixels
from jepa.models.world_model import WorldModel

BATCH_BYTES = 8 * 2**20
"""Raw frames that are encoded at once; activations take some ten times that."""
CPU_BATCH_BYTES = 2 * 2**20
"""The same on a CPU, whose caches hold the activations of so many, which makes it a quarter faster."""


@torch.inference_mode()
def encode_pixels(model: WorldModel, pixels_NHWC: Pixels) -> NDArray[np.float32]:
    """Returns latents (N, D) of frames uint8 (N, H, W, 3), on the model's device, in bounded memory."""
    model.eval()
    device = next(model.parameters()).device
    most = CPU_BATCH_BYTES if device.type == "cpu" else BATCH_BYTES
    batch = max(1, most // pixels_NHWC[0].nbytes)
    parts = [
        model.encode(torch.from_numpy(np.ascontiguousarray(pixels_NHWC[start : start + batch, None])).to(device))[:, 0]
        for start in range(0, len(pixels_NHWC), batch)
    ]
    return torch.cat(parts).cpu().numpy()


def in_batches(parts: Iterable[Pixels]) -> Iterator[Pixels]:
    """Yields frames put together to full batches, however few come at a time."""
    batch: list[Pixels] = []
    for part in parts:
        batch.append(part)
        if sum(one.nbytes for one in batch) >= BATCH_BYTES:
            yield np.concatenate(batch)
            batch = []
    if batch:
        yield np.concatenate(batch)
