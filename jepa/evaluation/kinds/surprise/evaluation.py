"""Surprise: does the prediction error rise when something impossible happens?

Each held-out episode is replayed twice from its recorded start with its recorded actions; in the middle of one of the
two replays a perturbation strikes. Surprise at a frame is the mean over latent dimensions of (ẑ_t - z_t)², where ẑ_t is
predicted from the true frames before it (LeWorldModel, arXiv:2603.19312, section 6). The AUROC compares the two replays
at the event, over episodes. `strength` is how far the perturbation moved the task's distance.
A recording whose world cannot be simulated has no replays: its own frames give the one-step surprise and nothing more.
Shapes: N episodes of equal length, T frames an action block apart, K actions in an action block (the frameskip), A
action dimensions, D latent.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import NonNegativeInt, PositiveInt

from jepa.core.clips import whole_clip
from jepa.core.config import Config
from jepa.core.episodes import Actions, Episode, EpisodeSource, Pixels
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.evaluation.evaluation import (
    EVALUATIONS,
    Evaluation,
    EvaluationResult,
    Row,
    metric_row,
    present_splits,
    require_episodes,
)
from jepa.evaluation.kinds.surprise.report import HEADLINES, SECTION, STEPS
from jepa.evaluation.png import encode_png
from jepa.evaluation.statistics import bootstrap_auroc, bootstrap_mean
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel
from jepa.planning.execution import stack_states
from jepa.worlds.recordings import simulator_problem
from jepa.worlds.world import WORLDS, World, make_world

Floats = NDArray[np.float64]
RECORDED = "recorded"
"""Stands in a unit's name for a perturbation where there is no simulator to perturb."""
FEWEST_FRAMES = 3
"""One before the event, the event's, and one after it."""


class SurpriseConfig(Config):
    """How many episodes are replayed."""

    episodes: PositiveInt = 100
    """episodes of each split"""
    batch: PositiveInt = 50
    """episodes that are replayed side by side"""
    frames_shown: NonNegativeInt = 2
    """episodes whose frames are kept for the report"""


@dataclass(frozen=True)
class Replay:
    """One way that N episodes went: frames `frameskip` steps apart, and how far the event moved the task's distance."""

    pixels_NTHWC: Pixels
    action_NTKA: Actions
    strength_N: Floats


@dataclass(frozen=True)
class EpisodeSurprise:
    """Surprise at frames 1 … T-1 of an episode's two replays; frame `event` is the first to show the event."""

    episode: int
    event: int
    strength: float
    perturbed: Floats
    control: Floats
    frames: tuple[Pixels, Pixels] | None = None
    """Frames (T, H, W, 3) of the two replays, for the few episodes that are shown."""

    @property
    def at(self) -> int:
        """Index of the event's surprise; entry 0 is that of frame 1."""
        return self.event - 1


def replay(
    episodes: Sequence[Episode],
    world_name: str,
    world_options: dict[str, object],
    frameskip: int,
    event: int,
    shift: str | None,
    seed: int,
) -> Replay:
    """Returns the episodes' frames, simulated again from the recorded start; `shift` strikes just before frame `event`.

    Args:
        episodes: of equal length.
        world_name: world that they were recorded in.
        world_options: its options.
        frameskip: K, environment steps between two frames.
        event: frame that is the first to show the perturbation.
        shift: one of the world's perturbations, or None for the control.
        seed: of what is random in the perturbation; each episode draws for itself.
    """
    frames = episodes[0].steps // frameskip + 1
    action_NLA = np.stack([episode.action[: (frames - 1) * frameskip] for episode in episodes])
    strength_N = np.zeros(len(episodes))
    world = make_world(world_name, len(episodes), **world_options)
    try:
        world.restore(stack_states([world.state_at(episode, 0) for episode in episodes]))
        seen = [world.render_pixels()]
        for frame in range(1, frames):
            strikes = shift is not None and frame == event
            if shift is not None and strikes and world.world_spec.perturbation(shift).before_step:
                _strike(world, shift, episodes, seed)
            for step in range((frame - 1) * frameskip, frame * frameskip):
                world.advance(np.ascontiguousarray(action_NLA[:, step]))
            if shift is not None and strikes and not world.world_spec.perturbation(shift).before_step:
                before = world.state()
                _strike(world, shift, episodes, seed)
                strength_N = world.distance(before, world.world_spec.goal_kinds[0].name).astype(np.float64)
            seen.append(world.render_pixels())
    finally:
        world.close()
    action_NTKA = action_NLA.reshape(len(episodes), frames - 1, frameskip, -1)
    return Replay(np.stack(seen, axis=1), action_NTKA, strength_N)


def _strike(world: World, shift: str, episodes: Sequence[Episode], seed: int) -> None:
    world.perturb(shift, [numpy_generator(seed, "perturbation", shift, episode.index) for episode in episodes])


@torch.inference_mode()
def one_step_surprise(model: WorldModel, pixels_NTHWC: Pixels, action_NTKA: Actions) -> Floats:
    """Returns the prediction errors (N, T-1) of frames 1 … T-1, each predicted from the true frames before it."""
    episodes, frames = pixels_NTHWC.shape[:2]
    z = torch.from_numpy(encode_pixels(model, pixels_NTHWC.reshape(-1, *pixels_NTHWC.shape[2:])))
    z_NTD = z.view(episodes, frames, -1)
    device = next(model.parameters()).device
    predicted_NTD = model.predict(z_NTD[:, :-1].to(device), torch.from_numpy(action_NTKA).to(device)).cpu()
    return (predicted_NTD - z_NTD[:, 1:]).double().square().mean(-1).numpy()


@EVALUATIONS.register("surprise")
class SurpriseEvaluation(Evaluation):
    """A unit is a split and a perturbation."""

    kind = "surprise"
    version = 2
    Config = SurpriseConfig
    tables = (STEPS,)
    headlines = HEADLINES
    section = SECTION

    def __init__(self, config: SurpriseConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns `<split>/<perturbation>` for each pair there is; `<split>/recorded` where nothing can be simulated.

        Raises:
            InputError: the world has no perturbations, or the source no test episodes.
        """
        require_episodes(source, self.kind, ["test"])
        if simulator_problem(source) is not None:
            return [f"{split}/{RECORDED}" for split in present_splits(source)]
        shifts = WORLDS.get(source.world).world_spec.perturbation_names
        if not shifts:
            raise InputError(f"world {source.world!r} has no perturbations; leave out the evaluation 'surprise'")
        return [f"{split}/{shift}" for split in present_splits(source) for shift in shifts]

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns `auroc`, the mean surprise before, at and after the event and at the control's, and a row a frame.

        Of recorded frames it returns `surprise_recorded` alone, the mean of an episode's one-step surprises.

        Raises:
            InputError: the episodes are too short to have a frame before and after an event.
        """
        started = time.perf_counter()
        split, shift = unit.split("/")
        if shift == RECORDED:
            return self._recorded(split, model, source, seed, started)
        found = self._surprises(split, shift, model, source, seed)
        if not found:
            raise InputError(
                f"no {split!r} episode has {FEWEST_FRAMES} frames {model.config.frameskip} steps apart, "
                "which surprise needs; collect longer episodes"
            )
        common = {"evaluation": self.kind, "protocol": self.protocol, "split": split, "shift": shift, "seed": seed}
        metrics = surprise_metrics(found, common)
        for row in metrics:
            row["seconds"] = time.perf_counter() - started
        return EvaluationResult(metrics, {"steps": self._rows(found, model.config.frameskip, common)})

    def _recorded(
        self, split: str, model: WorldModel, source: EpisodeSource, seed: int, started: float
    ) -> EvaluationResult:
        frameskip = model.config.frameskip
        means = []
        for episode in source.episodes(split, limit=self.config.episodes):
            if episode.steps < frameskip:
                continue
            clip = whole_clip(episode, frameskip)
            found = one_step_surprise(model, clip.pixels_BTHWC.numpy(), clip.action_BTKA.numpy())
            means.append(float(found.mean()))
        if not means:
            raise InputError(
                f"no {split!r} episode has {frameskip} steps, which one-step surprise needs; take longer episodes"
            )
        estimate = bootstrap_mean(means, derive_seed(seed, "recorded surprise intervals"))
        labels = {"evaluation": self.kind, "protocol": self.protocol, "split": split, "seed": seed}
        labels["seconds"] = time.perf_counter() - started
        return EvaluationResult([metric_row(estimate, metric="surprise_recorded", unit="1", **labels)], {"steps": []})

    def _surprises(
        self, split: str, shift: str, model: WorldModel, source: EpisodeSource, seed: int
    ) -> list[EpisodeSurprise]:
        found: list[EpisodeSurprise] = []
        # Neighbours of equal length are replayed side by side; episodes stay in their order and few are held at a time.
        for steps, alike in groupby(source.episodes(split, limit=self.config.episodes), key=lambda one: one.steps):
            if steps // model.config.frameskip + 1 < FEWEST_FRAMES:
                continue
            while batch := list(islice(alike, self.config.batch)):
                found += self._batch(batch, shift, model, source, seed, shown=len(found))
        return found

    def _batch(
        self, episodes: Sequence[Episode], shift: str, model: WorldModel, source: EpisodeSource, seed: int, shown: int
    ) -> list[EpisodeSurprise]:
        frameskip = model.config.frameskip
        event = (episodes[0].steps // frameskip + 1) // 2
        options = dict(source.world_options)
        replays = [replay(episodes, source.world, options, frameskip, event, which, seed) for which in (shift, None)]
        perturbed, control = (one_step_surprise(model, each.pixels_NTHWC, each.action_NTKA) for each in replays)
        frames_shown = self.config.frames_shown - shown
        return [
            EpisodeSurprise(
                episode=episode.index,
                event=event,
                strength=float(replays[0].strength_N[n]),
                perturbed=perturbed[n],
                control=control[n],
                frames=(replays[0].pixels_NTHWC[n], replays[1].pixels_NTHWC[n]) if n < frames_shown else None,
            )
            for n, episode in enumerate(episodes)
        ]

    def _rows(self, found: Sequence[EpisodeSurprise], frameskip: int, common: Row) -> list[Row]:
        rows = []
        shared = {name: common[name] for name in ("split", "protocol", "seed", "shift")}
        for one in found:
            for replay_index, surprise in enumerate((one.perturbed, one.control)):
                labels = {"strength": one.strength, "episode": one.episode, "perturbed": replay_index == 0}
                for frame, value in enumerate(surprise, start=1):
                    row: Row = {
                        "step": frame * frameskip,
                        "event_step": one.event * frameskip,
                        "surprise": float(value),
                    }
                    if one.frames is not None:
                        row["frame"] = encode_png(one.frames[replay_index][frame])
                    rows.append({**shared, **labels, **row})
        return rows


def surprise_metrics(found: Sequence[EpisodeSurprise], common: Row) -> list[Row]:
    """Returns the AUROC at the event, and mean surprises: before, at and after the event, and the control's at it."""
    seed = derive_seed(common["seed"], "surprise intervals")
    labels = {**common, "strength": float(np.mean([one.strength for one in found]))}
    at, control_at = [one.perturbed[one.at] for one in found], [one.control[one.at] for one in found]
    means = {
        "surprise_before": [one.perturbed[: one.at].mean() for one in found if one.at > 0],
        "surprise_at": at,
        "surprise_after": [one.perturbed[one.at + 1 :].mean() for one in found if one.at + 1 < len(one.perturbed)],
        "surprise_control": control_at,
    }
    rows = [metric_row(bootstrap_auroc(at, control_at, seed), metric="auroc", unit="1", **labels)]
    rows += [
        metric_row(bootstrap_mean(values, seed), metric=name, unit="1", **labels)
        for name, values in means.items()
        if values
    ]
    return rows
