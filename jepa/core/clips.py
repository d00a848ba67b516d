"""The window that a model trains on.

Shapes: B clips, T frames (history + horizon), H × W pixels, K actions in a block (the frameskip), A action dimensions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Clips:
    """A batch of clips: frames `frameskip` steps apart, with the block of actions between each two."""

    pixels_BTHWC: Tensor
    """uint8 (B, T, H, W, 3)"""
    action_BTKA: Tensor
    """float32 (B, T-1, K, A), raw (not normalised) actions"""
    state: Mapping[str, Tensor]
    """float32 (B, T, d) by quantity; objectives of the paper never look at it"""

    def to(self, device: torch.device, dtype: torch.dtype) -> "Clips":
        """Returns the clips on a device, actions and state in another type; frames stay uint8."""
        state = {name: value.to(device, dtype) for name, value in self.state.items()}
        return Clips(self.pixels_BTHWC.to(device), self.action_BTKA.to(device, dtype), state)
