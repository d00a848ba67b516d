"""The probes of one model and what each reads: its latents of one frame or of several, or a baseline in their place.

Shapes: N compared frames, F frames of a window, X values that are read, Q targets.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.seeds import derive_seed
from jepa.evaluation.kinds.probing.baselines import PrincipalComponents
from jepa.evaluation.kinds.probing.config import ProbingConfig
from jepa.evaluation.kinds.probing.frames import Frames
from jepa.evaluation.kinds.probing.probes import Probe, ProbeConfig, Scale, fit_linear, fit_mlp
from jepa.evaluation.kinds.probing.targets import Targets

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Features = Callable[[Frames, Mask], Floats]
LINEAR = ("ridge",)
"""Fields of a probe's configuration that are the linear one's; all others are the MLP's."""


@dataclass(frozen=True)
class Reader:
    """A fitted probe, and what its rows say of it."""

    latents: str
    """`encoder`, or the baseline in its place: `pixels_pca`, `untrained`, `state`"""
    frames: int
    """F, frames an action block apart that are read together"""
    name: str
    """`linear` or `mlp`"""
    probe: Probe
    targets: Targets
    scale: Scale
    """of the targets, the same for all readers of them, so that errors compare"""
    settings: str
    """hyper-parameters as JSON"""
    features: Features
    """from compared frames to what is read of them, (N, X)"""

    def read(self, x_NX: Floats) -> Floats:
        """Returns readings in units of the targets' spread, (N, Q)."""
        return self.scale.normalise(self.probe.predict(x_NX))

    def true(self, frames: Frames, place_N: NDArray[np.int64]) -> Floats:
        """Returns the targets of some encoded frames in the same units, (N, Q)."""
        return self.scale.normalise(self.targets.values(frames.state_at(place_N)))


def encoder_readers(train: Frames, held: Frames, targets: Targets, config: ProbingConfig, seed: int) -> list[Reader]:
    """Returns the `linear` and the `mlp` probe of the latents of one frame; held frames stop the latter."""
    z_ND, y_NQ = train.z_MD[train.drawn_N], targets.values(train.state_at(train.drawn_N))
    held_z_ND, held_y_NQ = held.z_MD[held.drawn_N], targets.values(held.state_at(held.drawn_N))
    probes = {
        "linear": fit_linear(z_ND, y_NQ, config.probe),
        "mlp": fit_mlp(z_ND, y_NQ, held_z_ND, held_y_NQ, config.probe, derive_seed(seed, "mlp probe")),
    }
    return [
        Reader("encoder", 1, name, probe, targets, probe.y_scale, _settings(name, config.probe, len(z_ND)), _single)
        for name, probe in probes.items()
    ]


def window_readers(train: Frames, targets: Targets, config: ProbingConfig) -> list[Reader]:
    """Returns the linear probe of the latents of several frames, none where no training episode is long enough."""
    chosen_N = train.reaching(config.frames_together - 1)
    if config.frames_together < 2 or chosen_N.sum() < 2:
        return []

    def features(frames: Frames, chosen_N: Mask) -> Floats:
        return frames.window(frames.lag_NL[chosen_N, : config.frames_together][:, ::-1])

    return [_linear("encoder", config.frames_together, train, chosen_N, features, targets, config.probe)]


def baseline_readers(
    train: Frames, targets: Targets, components: int, config: ProbingConfig, seed: int
) -> Iterator[Reader]:
    """Yields linear probes of pixels by their principal components, of an untrained encoder, and of the state itself.

    Args:
        train: of the training split; baselines are fitted to its compared frames.
        targets: what is read.
        components: of the pixels, as many as a latent has dimensions; frames that vary less have fewer.
        config: of the evaluation.
        seed: of its draws.
    """
    chosen_N = np.ones(len(train.lag_NL), dtype=bool)
    if chosen_N.sum() < 2:
        return
    if train.pixels_NP is not None:
        pca = PrincipalComponents.of(train.pixels_NP, components, config.pca_frames, seed)
        said = {"components": pca.components_PC.shape[1], "pca_frames": min(config.pca_frames, len(chosen_N))}

        def reduced(frames: Frames, chosen_N: Mask) -> Floats:
            return pca(_held(frames.pixels_NP)[chosen_N])

        yield _linear("pixels_pca", 1, train, chosen_N, reduced, targets, config.probe, said)
    if train.untrained_ND is not None:
        yield _linear("untrained", 1, train, chosen_N, _untrained, targets, config.probe)

    def itself(frames: Frames, chosen_N: Mask) -> Floats:
        return targets.values(frames.state_at(frames.lag_NL[chosen_N, 0]))

    yield _linear("state", 1, train, chosen_N, itself, targets, config.probe)


def _linear(
    latents: str,
    window: int,
    train: Frames,
    chosen_N: Mask,
    features: Features,
    targets: Targets,
    config: ProbeConfig,
    said: dict[str, Any] | None = None,
) -> Reader:
    y_NQ = targets.values(train.state_at(train.lag_NL[chosen_N, 0]))
    scale = Scale.of(targets.values(train.state_at(train.drawn_N)))
    probe = fit_linear(features(train, chosen_N), y_NQ, config)
    settings = _settings("linear", config, len(y_NQ), **(said or {}))
    return Reader(latents, window, "linear", probe, targets, scale, settings, features)


def _single(frames: Frames, chosen_N: Mask) -> Floats:
    z_ND: Floats = frames.z_MD[frames.lag_NL[chosen_N, 0]]
    return z_ND


def _untrained(frames: Frames, chosen_N: Mask) -> Floats:
    return _held(frames.untrained_ND)[chosen_N]


def _held(values: Floats | None) -> Floats:
    if values is None:
        raise TypeError("these frames were gathered without the baselines")
    return values


def _settings(name: str, config: ProbeConfig, frames: int, **more: Any) -> str:
    """Returns the hyper-parameters of a probe and the frames that it was fitted to, as JSON."""
    held = config.model_dump(mode="json")
    own = {field: value for field, value in held.items() if (field in LINEAR) == (name == "linear")}
    return json.dumps({**own, "fit_frames": frames, **more}, sort_keys=True, separators=(",", ":"))
