"""The window that a model trains on.

Shapes: B clips, T frames (history + horizon), H × W pixels, K actions of an action block (the frameskip), A action
dimensions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from jepa.core.episodes import Episode
from jepa.core.errors import InputError


@dataclass(frozen=True)
class Clips:
    """A batch of clips: frames `frameskip` steps apart, with the action block between each two."""

    pixels_BTHWC: Tensor
    """uint8 (B, T, H, W, 3)"""
    action_BTKA: Tensor
    """float32 (B, T-1, K, A), raw (not normalised) actions"""
    state: Mapping[str, Tensor]
    """float32 (B, T, d) by quantity; objectives of the paper never look at it"""

    def to(self, device: torch.device, dtype: torch.dtype) -> "Clips":
        """Returns the clips on a device, actions and state in another type; frames stay uint8.

        A GPU copies from pinned memory while this process goes on. The type changes on the device: changed here, the
        values would lie in memory that is not pinned, and this process would wait for their copy.
        """
        # Apple's GPU shares the host's memory, which could be filled again before it is read.
        goes_on = device.type not in ("cpu", "mps")
        state = {name: value.to(device, non_blocking=goes_on).to(dtype) for name, value in self.state.items()}
        action = self.action_BTKA.to(device, non_blocking=goes_on).to(dtype)
        return Clips(self.pixels_BTHWC.to(device, non_blocking=goes_on), action, state)

    def pin_memory(self) -> "Clips":
        """Returns the clips in pinned memory; a part that is there already is not copied."""
        state = {name: value.pin_memory() for name, value in self.state.items()}
        return Clips(self.pixels_BTHWC.pin_memory(), self.action_BTKA.pin_memory(), state)


def whole_clip(episode: Episode, frameskip: int) -> Clips:
    """Returns an episode as one clip: every K-th frame, the action block between each two, and the states.

    Args:
        episode: what was held, of K steps or more; steps that fill no action block at its end are left out.
        frameskip: K.

    Raises:
        InputError: the episode is shorter than an action block, or has no frames so many steps apart.
    """
    blocks = episode.steps // frameskip
    if not blocks:
        raise InputError(
            f"episode {episode.index} has {episode.steps} steps and frameskip is {frameskip}; take a longer one"
        )
    rows = episode.every(frameskip)
    action_BTKA = torch.from_numpy(episode.action[: blocks * frameskip]).unflatten(0, (blocks, frameskip))[None]
    state = {name: torch.from_numpy(value[rows])[None] for name, value in episode.state.items()}
    return Clips(torch.from_numpy(episode.frames_at(rows))[None], action_BTKA, state)
