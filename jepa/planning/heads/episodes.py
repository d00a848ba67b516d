"""Episodes as latents, every frame encoded once, and pairs of frames drawn from them.

Shapes: N steps of all episodes one after the other, E episodes, B pairs, K actions in an action block, A action
dimensions, D latent, d dimensions of a quantity.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from jepa.core.episodes import Actions, EpisodeSource, Pixels, State, check_frameskip, frame_every_of
from jepa.core.errors import InputError
from jepa.models.encoding import encode_pixels, in_batches
from jepa.models.world_model import WorldModel

SPLIT = "train"
"""The only split that heads are fitted on."""


@dataclass(frozen=True)
class Pairs:
    """Rows of two frames of one episode, and how many environment steps lie between them."""

    first_B: Tensor
    second_B: Tensor
    separation_B: Tensor


@dataclass(frozen=True, eq=False)
class LatentEpisodes:
    """Latents (N, D) of whole episodes, the action taken at each step (zero at an episode's last one), the states.

    Where only some steps have a frame, the latents of the others are NaN, and no row or pair that is drawn is theirs.
    """

    z_ND: Tensor
    action_NA: Tensor
    state: Mapping[str, Tensor]
    start_E: Tensor
    """row of each episode's first frame"""
    steps_E: Tensor
    """actions of each episode"""
    frame_every: int = field(default=1, kw_only=True)
    """environment steps from one frame of an episode to the next"""
    _known: dict[tuple[int, ...], tuple[Tensor, Tensor, Tensor, Tensor]] = field(default_factory=dict, init=False)

    @cached_property
    def longest(self) -> int:
        """Returns the environment steps of the longest episode."""
        return int(self.steps_E.max())

    @cached_property
    def frame_rows(self) -> Tensor:
        """Returns the rows that have a frame, rising, on the CPU."""
        starts, steps = self.start_E.cpu(), self.steps_E.cpu()
        step_N = torch.arange(len(self.z_ND)) - starts.repeat_interleave(steps + 1)
        return torch.nonzero(step_N % self.frame_every == 0)[:, 0]

    @property
    def seen_ND(self) -> Tensor:
        """Returns the latents of all frames."""
        return self.z_ND if self.frame_every == 1 else self.z_ND[self.frame_rows.to(self.z_ND.device)]

    def any_rows(self, *shape: int, generator: torch.Generator) -> Tensor:
        """Returns rows drawn evenly from all frames, on the CPU."""
        if self.frame_every == 1:
            return torch.randint(len(self.z_ND), shape, generator=generator)
        return self.frame_rows[torch.randint(len(self.frame_rows), shape, generator=generator)]

    def blocks(self, row_B: Tensor, steps: int) -> Tensor:
        """Returns the next actions (B, steps, A) from each row on, all within its episode."""
        return self.action_NA[row_B[:, None] + torch.arange(steps, device=row_B.device)]

    def pairs(
        self, count: int, longest: int, generator: torch.Generator, room: int = 1, shortest: int = 1, lead: int = 0
    ) -> Pairs:
        """Returns pairs whose separations are drawn evenly over shortest … longest, places evenly among those that fit.

        Both rows of a pair have a frame: separations and places are multiples of `frame_every`.

        Args:
            count: B.
            longest: largest separation; that of the longest episode bounds it.
            generator: on the CPU, whatever the device.
            room: environment steps that must follow the first frame at least.
            shortest: smallest separation.
            lead: environment steps that must lie before the first frame at least; a multiple of `frame_every`.
        """
        cumulative, offset_S, total_S, separation_S = self._places(longest, room, shortest, lead)
        kind_B = torch.randint(len(total_S), (count,), generator=generator)
        draw_B = torch.rand(count, generator=generator, dtype=torch.float64)
        place_B = (draw_B * total_S[kind_B]).long() + offset_S[kind_B]
        flat_B = torch.searchsorted(cumulative, place_B, right=True)
        step_B = self.frame_every * (place_B - torch.where(flat_B > 0, cumulative[flat_B - 1], 0))
        device = self.z_ND.device
        first_B = self.start_E[(flat_B % len(self.steps_E)).to(device)] + step_B.to(device) + lead
        separation_B = separation_S[kind_B].to(device)
        return Pairs(first_B, first_B + separation_B, separation_B)

    def rows_of_two(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Returns two rows each (B,) drawn evenly from all frames, but for those that are of one episode."""
        row_2B = self.any_rows(2, count, generator=generator).to(self.z_ND.device)
        episode_2B = torch.searchsorted(self.start_E + self.steps_E, row_2B)
        first_B, second_B = row_2B[:, episode_2B[0] != episode_2B[1]]
        return first_B, second_B

    def _places(self, longest: int, room: int, shortest: int, lead: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Returns counts of places by separation and episode, summed up one after the other, those of each, and each.

        Raises:
            InputError: no episode is long enough.
        """
        key = (longest, room, shortest, lead)
        if key not in self._known:
            every = self.frame_every
            least, most = -(-shortest // every) * every, min(longest, self.longest)
            if least > most:
                raise InputError(
                    f"no two frames of a {SPLIT} episode are {shortest} to {most} steps apart, for every {every} steps "
                    "have one (frame_every); fit the head with a larger `longest`, or on longer episodes"
                )
            separation_S = torch.arange(least, most + 1, every)
            needed_S = separation_S.clamp_min(room) + lead
            room_SE = self.steps_E.cpu()[None] - needed_S[:, None]
            count_SE = (room_SE.div(every, rounding_mode="floor") + 1).clamp_min(0)
            # The larger the separation the fewer places: those without any come last.
            count_SE = count_SE[count_SE.sum(1) > 0]
            if not len(count_SE):
                raise InputError(
                    f"the longest {SPLIT} episode has {self.longest} steps and {int(needed_S.min())} are needed; "
                    "fit the head on longer episodes"
                )
            total_S = count_SE.sum(1)
            self._known[key] = count_SE.flatten().cumsum(0), total_S.cumsum(0) - total_S, total_S, separation_S
        return self._known[key]


def encode_episodes(model: WorldModel, source: EpisodeSource, frames: int) -> LatentEpisodes:
    """Returns the first episodes of the train split as latents, of so many frames at most, on the model's device.

    Raises:
        InputError: the train split holds no episode, or none as long as an action block, or latents are not finite, or
            no frames are an action block apart.
    """
    every = frame_every_of(source)
    check_frameskip(model.config.frameskip, every)
    taken = _Taken([], [])
    z_ND = [encode_pixels(model, batch) for batch in in_batches(_frames(source, model.config.frameskip, frames, taken))]
    if not z_ND:
        raise InputError(
            f"dataset has no {SPLIT!r} episode of {model.config.frameskip} steps or more, which heads are fitted on; "
            "collect more or longer episodes"
        )
    latents = torch.from_numpy(np.concatenate(z_ND))
    if not latents.isfinite().all():
        raise InputError("the model's latents of train frames are not all finite; no head can be fitted on them")
    device = next(model.parameters()).device
    steps_E = torch.tensor([len(action) for action in taken.action])
    idle = np.zeros((1, taken.action[0].shape[1]), dtype=np.float32)
    action_NA = np.concatenate([part for action in taken.action for part in (action, idle)])
    state = {name: np.concatenate([one[name] for one in taken.state]) for name in taken.state[0]}
    return LatentEpisodes(
        z_ND=_at_their_steps(latents, steps_E.tolist(), every).to(device),
        action_NA=torch.from_numpy(action_NA).to(device),
        state={name: torch.from_numpy(value).to(device) for name, value in state.items()},
        start_E=((steps_E + 1).cumsum(0) - steps_E - 1).to(device),
        steps_E=steps_E.to(device),
        frame_every=every,
    )


def _at_their_steps(z_ND: Tensor, steps: Sequence[int], frame_every: int) -> Tensor:
    """Returns the latents of episodes' frames with a row for each step, NaN where it has no frame."""
    if frame_every == 1:
        return z_ND
    rows_ND = z_ND.new_full((sum(steps) + len(steps), z_ND.shape[1]), torch.nan)
    first, taken = 0, 0
    for length in steps:
        frames = length // frame_every + 1
        rows_ND[first : first + length + 1 : frame_every] = z_ND[taken : taken + frames]
        first, taken = first + length + 1, taken + frames
    return rows_ND


@dataclass(frozen=True)
class _Taken:
    """What is kept of episodes whose frames are encoded."""

    action: list[Actions]
    state: list[State]


def _frames(source: EpisodeSource, frameskip: int, frames: int, taken: _Taken) -> Iterator[Pixels]:
    """Yields the frames of episodes that are long enough, of the first one whatever its length."""
    held = 0
    for episode in source.episodes(SPLIT):
        if episode.steps < frameskip:
            continue
        held += len(episode.pixels)
        if held > frames and taken.action:
            return
        taken.action.append(episode.action)
        taken.state.append(episode.state)
        yield episode.pixels
