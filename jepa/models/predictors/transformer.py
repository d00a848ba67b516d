"""Predictors made of causal transformer blocks that the action modulates, and a rollout that keeps keys and values.

A rollout predicts from windows of frames that overlap. While the window grows, its frames keep their places, and a
frame sees those before it only: what a block made of it stays, and only the new frame is computed. Once the window
slides, every frame has another place, and all of them are computed again. Of the last block only the newest frame is
asked for. What the action of a frame does to each block is the same in all windows, and what precedes a candidate's
first action of its own is the same for all candidates.
Shapes: N sequences, L frames (at most the history), M of them new, D latent, E width of an embedded action, W width of
a token, X values of its modulation, and "…" what lies between frames and width, such as a frame's tokens; in a rollout
P contexts of T frames, which N = P · C sequences go on from, C each, for H steps.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jepa.core.numerics import at_least_float32
from jepa.models.layers.attention import Attention, Kept
from jepa.models.predictors.predictor import Predictor


class ActionBlock(nn.Module, ABC):
    """Attention and MLP, each shifted, scaled and gated by the action of the frame."""

    attention: nn.Module | None
    modulation: nn.Module
    """From an embedded action to all shifts, scales and gates, one after another."""

    @abstractmethod
    def attended(self, x_NLW: Tensor, modulation: Sequence[Tensor]) -> Tensor:
        """Returns what attention sees of tokens (N, L, …, W)."""

    @abstractmethod
    def branches(self, x_NLW: Tensor, modulation: Sequence[Tensor], y_NLW: Tensor | None) -> Tensor:
        """Returns the block's output for tokens, from the output of attention on them (None without attention)."""

    def forward(self, x_NLW: Tensor, action_NLE: Tensor) -> Tensor:
        """Returns tokens of the same shape; dimensions between L and W, if any, share the action of their frame."""
        modulation = self.modulation(action_NLE).split(x_NLW.shape[-1], dim=-1)
        y_NLW = None if self.attention is None else self.attention(self.attended(x_NLW, modulation))
        return self.branches(x_NLW, modulation, y_NLW)

    def extend(
        self, x_NMW: Tensor, modulation_NMX: Tensor, kept: Kept | None, newest: int
    ) -> tuple[Tensor, Kept | None]:
        """Returns the output for the newest frames, and the keys and values of all.

        Args:
            x_NMW: tokens of the new frames.
            modulation_NMX: what `modulation` makes of their actions.
            kept: keys and values of the frames before them, if there are any.
            newest: how many of the new frames an output is wanted for.
        """
        modulation: Sequence[Tensor] = modulation_NMX.split(x_NMW.shape[-1], dim=-1)
        y_NQW, both = None, None
        if self.attention is not None:
            assert isinstance(self.attention, Attention)
            y_NQW, both = self.attention.extend(self.attended(x_NMW, modulation), kept, newest)
        if newest < x_NMW.shape[1]:
            x_NMW, modulation = x_NMW[:, -newest:], [part[:, -newest:] for part in modulation]
        return self.branches(x_NMW, modulation, y_NQW), both


class TransformerPredictor(Predictor):
    """Tokens of frames at their places, blocks, and a latent read off each frame's tokens."""

    blocks: nn.ModuleList
    """Of `ActionBlock`."""

    @abstractmethod
    def enter(self, z_NLD: Tensor, first: int = 0) -> Tensor:
        """Returns tokens (N, L, …, W) of frames, of which the first has the place `first` in the window."""

    @abstractmethod
    def leave(self, x_NLW: Tensor, z_NLD: Tensor) -> Tensor:
        """Returns (N, L, D): the next latents, of the last block's tokens and of the latents that they stand for."""

    def spread(self, action_NLE: Tensor) -> Tensor:
        """Returns embedded actions with as many dimensions as tokens have."""
        return action_NLE

    def forward(self, z_NLD: Tensor, action_NLE: Tensor) -> Tensor:
        """Returns (N, L, D): entry l predicts the latent after frame l."""
        x_NLW, action_NLE = self.enter(z_NLD), self.spread(action_NLE)
        for block in self.blocks:
            x_NLW = block(x_NLW, action_NLE)
        return self.leave(x_NLW, z_NLD)

    def rollout(self, z_PTD: Tensor, past_action_PTE: Tensor, action_NHE: Tensor) -> Tensor:
        """Returns (N, H, D): the latents after each of H actions, to rounding what the predictor of all windows gives.

        Args:
            z_PTD: as for every predictor's.
            past_action_PTE: likewise.
            action_NHE: likewise.
        """
        if self.training:
            # Then every entry of a window counts in a BatchNorm's statistics, and has its own dropout.
            return super().rollout(z_PTD, past_action_PTE, action_NHE)
        past = past_action_PTE.shape[1]
        of_past, of_own = self._modulations(past_action_PTE), self._modulations(action_NHE)
        # The frames that have an action of the sequence's own: the present, and all that are predicted.
        z_NLD = z_PTD[:, -1:].repeat_interleave(len(action_NHE) // max(1, len(z_PTD)), 0)
        kept: list[Kept | None] = []
        for step in range(action_NHE.shape[1]):
            start = max(0, past + step + 1 - self.history)
            first = step
            if step == 0 or start > 0:
                kept = self._shared(z_PTD[:, start:past], [one[:, start:] for one in of_past])
                first = max(0, start - past)
            new = slice(first, step + 1)
            of_new, place = [one[:, new] for one in of_own], past + first - start
            zhat_N1D, kept = self._newest(z_NLD[:, new], of_new, kept, place, past + step + 1 < self.history)
            z_NLD = torch.cat([z_NLD, zhat_N1D], dim=1)
        return z_NLD[:, 1:]

    def _modulations(self, action_NLE: Tensor) -> list[Tensor]:
        """Returns what the actions do to each block (N, L, …, X)."""
        return [block.modulation(self.spread(action_NLE)) for block in self._action_blocks()]

    def _action_blocks(self) -> list[ActionBlock]:
        return [block for block in self.blocks if isinstance(block, ActionBlock)]

    def _shared(self, z_PLD: Tensor, modulations: Sequence[Tensor]) -> list[Kept | None]:
        """Returns keys and values of a window's frames whose actions are no sequence's own, once for a context."""
        kept: list[Kept | None] = [None] * len(self.blocks)
        if z_PLD.shape[1]:
            x_PLW = self.enter(z_PLD)
            for index, block in enumerate(self._action_blocks()):
                x_PLW, kept[index] = block.extend(x_PLW, modulations[index], None, z_PLD.shape[1])
        return kept

    def _newest(
        self, z_NMD: Tensor, modulations: Sequence[Tensor], kept: Sequence[Kept | None], place: int, keep: bool
    ) -> tuple[Tensor, list[Kept | None]]:
        """Returns the latent (N, 1, D) after the last of M new frames, and what to keep of the window.

        Args:
            z_NMD: latents of the new frames.
            modulations: of each block by their actions.
            kept: keys and values of the frames before them, block by block.
            place: of the first new frame in the window.
            keep: whether the next window begins with the same frame; keys and values of another would only lie about.
        """
        x_NMW, after = self.enter(z_NMD, place), list[Kept | None]()
        for block, modulation, before in zip(self._action_blocks(), modulations, kept, strict=True):
            newest = 1 if len(after) == len(self.blocks) - 1 else z_NMD.shape[1]
            x_NMW, both = block.extend(x_NMW, modulation, before, newest)
            after.append(both if keep else None)
        return at_least_float32(self.leave(x_NMW, z_NMD[:, -1:])), after
