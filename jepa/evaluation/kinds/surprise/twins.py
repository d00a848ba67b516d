"""Surprise at untouched episodes and at the same episodes with each perturbation, at each of its strengths.

Shapes: N episodes of equal length, T frames an action block apart, K actions in an action block (the frameskip), D
latent; F frames from the event on, of which W are those in which an alarm counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa.core.episodes import Episode, EpisodeSource, Pixels
from jepa.evaluation.kinds.surprise.config import SurpriseConfig
from jepa.evaluation.kinds.surprise.replays import Replays, Untouched, replaying
from jepa.evaluation.kinds.surprise.scoring import Floats, latents, predictions, squared_error, surprises
from jepa.models.world_model import WorldModel
from jepa.worlds.perturbations import Perturbation


@dataclass(frozen=True)
class Struck:
    """N episodes struck with one strength of a perturbation."""

    struck_N: NDArray[np.bool_]
    """Those that could be struck; the others went on as they were, and count nowhere."""
    surprise_NF: Floats
    """One-step surprise from the event on: F frames of the full strength, W of any other."""
    at_event: Mapping[int, Floats]
    """Surprise (N,) at the event's frame by blocks ahead."""


@dataclass(frozen=True)
class Twins:
    """A batch of episodes of equal length, untouched and struck."""

    episodes: tuple[int, ...]
    """Their indices."""
    event: int
    """The frame that is the first to show an event."""
    untouched: Mapping[int, Floats]
    """Surprise (N, T-1) of frames 1 … T-1 by blocks ahead; NaN where there is none."""
    struck: Mapping[str, Mapping[float | None, Struck]]
    """By perturbation and strength: each of its doses, and None, which is the full one."""
    frames: Mapping[str, Pixels] = field(default_factory=dict)
    """Frames (n, F, H, W, 3) from the event on of the first n episodes, by perturbation."""
    frames_untouched: Pixels | None = None
    """Frames (n, T, H, W, 3) of the same without an event."""

    @property
    def at(self) -> int:
        """Returns the place of the event's frame among frames 1 … T-1."""
        return self.event - 1


def twins(
    model: WorldModel,
    source: EpisodeSource,
    episodes: Sequence[Episode],
    perturbations: Sequence[Perturbation],
    config: SurpriseConfig,
    seed: int,
    shown: int,
) -> Twins:
    """Returns the surprises at episodes of equal length, and the frames of the first `shown` of them."""
    frameskip = model.config.frameskip
    event = (episodes[0].steps // frameskip + 1) // 2
    with replaying(episodes, source.world, source.world_options, frameskip, event) as replays:
        replay = replays.untouched()
        z_NTD = latents(model, replay.pixels_NTHWC)
        batch = _Batch(model, replays, replay, z_NTD, event, config, seed)
        struck, frames = {}, {}
        for perturbation in perturbations:
            struck[perturbation.name], pixels_NFHWC = batch.struck(perturbation)
            frames[perturbation.name] = pixels_NFHWC[:shown].copy()
        return Twins(
            episodes=tuple(episode.index for episode in episodes),
            event=event,
            untouched={ahead: surprises(model, z_NTD, replay.action_NTKA, ahead) for ahead in config.horizons},
            struck=struck,
            frames=frames if shown > 0 else {},
            frames_untouched=replay.pixels_NTHWC[:shown].copy() if shown > 0 else None,
        )


class _Batch:
    """What all perturbations of some episodes share."""

    def __init__(
        self,
        model: WorldModel,
        replays: Replays,
        replay: Untouched,
        z_NTD: Tensor,
        event: int,
        config: SurpriseConfig,
        seed: int,
    ) -> None:
        self._model, self._replays, self._seed, self._event = model, replays, seed, event
        self._z_NTD, self._action_NTKA = z_NTD, replay.action_NTKA
        self._frames = z_NTD.shape[1] - event
        """F"""
        self._window = min(config.alarm_frames, self._frames)
        # Nothing that comes before the event differs, so that neither does what was expected of its frame.
        self._expected = {ahead: self._expected_at_event(ahead) for ahead in config.horizons if ahead <= event}

    def struck(self, perturbation: Perturbation) -> tuple[dict[float | None, Struck], Pixels]:
        """Returns what came of each strength, and the frames (N, F, H, W, 3) of the full one."""
        exact = not perturbation.full_is_at_least
        others = [one for one in perturbation.doses if not (exact and one == perturbation.strength)]
        wanted: dict[float | None, int] = {None: self._frames, **dict.fromkeys(others, self._window)}
        replayed = list(self._replays.struck(perturbation, self._seed, wanted))
        # Encoded together, for batches that are worth it.
        z_NSD = latents(self._model, np.concatenate([pixels for pixels, _ in replayed], axis=1))
        parts = z_NSD.split(list(wanted.values()), dim=1)
        found = {
            strength: self._surprises(z_NFD, struck_N)
            for strength, z_NFD, (_, struck_N) in zip(wanted, parts, replayed, strict=True)
        }
        if exact:
            found[perturbation.strength] = found[None]
        return found, replayed[0][0]

    def _surprises(self, z_NFD: Tensor, struck_N: NDArray[np.bool_]) -> Struck:
        at_event = {ahead: squared_error(zhat_ND, z_NFD[:, 0]) for ahead, zhat_ND in self._expected.items()}
        after = [at_event[1][:, None]]
        if z_NFD.shape[1] > 1:
            after.append(self._after(z_NFD))
        return Struck(np.asarray(struck_N, dtype=bool), np.concatenate(after, axis=1), at_event)

    def _after(self, z_NFD: Tensor) -> Floats:
        """Returns the one-step surprise (N, F-1) of the frames after the event's."""
        first, frames = max(0, self._event + 1 - self._model.config.history), z_NFD.shape[1]
        z_NTD = torch.cat([self._z_NTD[:, first : self._event], z_NFD], dim=1)
        action_NTKA = self._action_NTKA[:, first : self._event + frames - 1]
        return surprises(self._model, z_NTD, action_NTKA)[:, 1 - frames :]

    def _expected_at_event(self, ahead: int) -> Tensor:
        """Returns the latents (N, D) that are predicted of the event's frame."""
        first = max(0, self._event - ahead + 1 - self._model.config.history)
        z_NTD, action_NTKA = self._z_NTD[:, first : self._event + 1], self._action_NTKA[:, first : self._event]
        return predictions(self._model, z_NTD, action_NTKA, ahead)[:, -1]
