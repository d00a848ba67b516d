"""An episode as one clip: every K-th frame, and exactly the actions that lead from each to the next."""

import numpy as np
import pytest
import torch

from jepa.core.clips import whole_clip
from jepa.core.episodes import Episode
from jepa.core.errors import InputError


def episode(steps: int) -> Episode:
    """Returns an episode whose frames, actions and states are their own numbers."""
    frames = np.arange(steps + 1)
    pixels = np.broadcast_to(frames[:, None, None, None], (steps + 1, 4, 4, 3)).astype(np.uint8)
    action = np.stack([np.arange(steps), -np.arange(steps)], axis=1).astype(np.float32)
    return Episode(7, 0, "test", {}, "random", pixels, action, {"agent": frames[:, None].astype(np.float32)})


@pytest.mark.parametrize("steps", [10, 13, 14])
def test_frames_and_the_actions_between_them(steps: int) -> None:
    clip = whole_clip(episode(steps), frameskip=5)
    assert clip.pixels_BTHWC.shape == (1, 3, 4, 4, 3) and clip.pixels_BTHWC.dtype == torch.uint8
    assert clip.pixels_BTHWC[0, :, 0, 0, 0].tolist() == [0, 5, 10]
    assert clip.state["agent"][0, :, 0].tolist() == [0, 5, 10]
    assert clip.action_BTKA.shape == (1, 2, 5, 2)
    assert clip.action_BTKA[0, 1].tolist() == [[float(step), -float(step)] for step in range(5, 10)]


def test_an_episode_shorter_than_an_action_block_is_refused() -> None:
    with pytest.raises(InputError, match="episode 7 has 4 steps and frameskip is 5; take a longer one"):
        whole_clip(episode(4), frameskip=5)
