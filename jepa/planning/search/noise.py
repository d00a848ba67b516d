"""Noise that changes slowly: of neighbouring actions much is the same, so that a random plan gets somewhere.

Shapes: S samples, L actions of a plan, A action dimensions, H action blocks, K actions in an action block.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def coloured(white_SLA: Tensor, colour: float) -> Tensor:
    """Returns noise whose power falls as 1/f^colour along the actions, of variance 1, from white noise.

    Args:
        white_SLA: standard normal draws.
        colour: 0 leaves them as they are, 1 gives pink noise, 2 red noise, as of a random walk.
    """
    if not colour:
        return white_SLA
    steps = white_SLA.shape[1]
    # The mean of a plan has no frequency of its own: it counts as the slowest one.
    frequency = torch.fft.fftfreq(steps).abs().clamp_min(1 / steps)
    power = frequency**-colour
    scale = (power / power.mean()).sqrt()[: steps // 2 + 1, None]
    noise_SLA: Tensor = torch.fft.irfft(torch.fft.rfft(white_SLA, dim=1) * scale, n=steps, dim=1)
    return noise_SLA


def draw_coloured(
    samples: int, shape: tuple[int, int, int], colour: float, generators: Sequence[torch.Generator]
) -> Tensor:
    """Returns coloured noise (P, S, H, K, A), each problem's from its own generator, on the CPU."""
    horizon, length, actions = shape
    drawn = [torch.randn(samples, horizon * length, actions, generator=generator) for generator in generators]
    return torch.stack([coloured(white_SLA, colour).unflatten(1, (horizon, length)) for white_SLA in drawn])
