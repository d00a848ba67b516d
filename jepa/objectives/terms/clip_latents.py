"""Clips as episodes of latents, from which a head draws its pairs: frames K environment steps apart and none between.

Shapes: B clips, T frames, N rows of all clips one after the other, K actions of an action block, A action dimensions,
D latent, P pairs.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from jepa.core.errors import InputError
from jepa.core.numerics import to_device
from jepa.planning.heads.episodes import LatentEpisodes, Pairs


@dataclass(frozen=True, eq=False)
class ClipLatents(LatentEpisodes):
    """Clips with a row for each environment step, where only those of frames are drawn; the others repeat the last.

    Separations are whole action blocks, at most those of a clip.
    """

    frameskip: int
    """K"""
    clip_blocks: int
    """action blocks of a clip, T - 1"""

    @classmethod
    def of(cls, z_BTD: Tensor, action_BTKA: Tensor) -> "ClipLatents":
        """Returns clips of latents, with whatever gradient these have, and the raw actions between them."""
        clips, blocks, frameskip, _ = action_BTKA.shape
        steps = blocks * frameskip
        device = z_BTD.device
        return cls(
            z_ND=z_BTD.repeat_interleave(frameskip, dim=1)[:, : steps + 1].flatten(0, 1),
            action_NA=F.pad(action_BTKA.flatten(1, 2), (0, 0, 0, 1)).flatten(0, 1),
            state={},
            start_E=torch.arange(clips, device=device) * (steps + 1),
            steps_E=torch.full((clips,), steps, device=device),
            frameskip=frameskip,
            clip_blocks=blocks,
        )

    @property
    def longest(self) -> int:
        """Returns the environment steps of a clip."""
        return self.clip_blocks * self.frameskip

    def pairs(
        self, count: int, longest: int, generator: torch.Generator, room: int = 1, shortest: int = 1, lead: int = 0
    ) -> Pairs:
        """Returns pairs as `LatentEpisodes` does, all steps rounded to action blocks; waits for no device.

        Raises:
            InputError: the clips are too short for any.
        """
        before, after = self._blocks(lead), self._blocks(room)
        shortest_blocks, longest_blocks = self._blocks(shortest), longest // self.frameskip
        most = min(longest_blocks, self.clip_blocks - before)
        if most < shortest_blocks or before + after > self.clip_blocks:
            needed = before + max(shortest_blocks, after)
            raise InputError(
                f"joint_head: clips have {self.clip_blocks} action blocks, and pairs of {shortest_blocks} to "
                f"{longest_blocks} blocks with {needed} in all are asked for; raise train_options.horizon, or ask for "
                "others in objective_options.joint_head_options"
            )
        separation_P = torch.randint(shortest_blocks, most + 1, (count,), generator=generator)
        clip_P = torch.randint(len(self.steps_E), (count,), generator=generator)
        draw_P = torch.rand(count, generator=generator, dtype=torch.float64)
        places_P = self.clip_blocks - before - separation_P.clamp_min(after) + 1
        frame_P = (draw_P * places_P).long() + before
        first_P = clip_P * (self.longest + 1) + frame_P * self.frameskip
        separation_P = separation_P * self.frameskip
        rows = torch.stack([first_P, first_P + separation_P, separation_P])
        return Pairs(*to_device(rows, self.z_ND.device))

    def _blocks(self, steps: int) -> int:
        """Returns the action blocks that hold so many steps."""
        return -(-steps // self.frameskip)
