"""The rows of the table `steps`: frames of a struck and of an untouched replay.

Shapes: N episodes of equal length, T frames, F of them from the event on.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from jepa.core.episodes import Pixels
from jepa.evaluation.evaluation import Row
from jepa.evaluation.kinds.surprise.calibration import Calibration
from jepa.evaluation.kinds.surprise.scoring import NORMALISED, Floats, Measure
from jepa.evaluation.kinds.surprise.twins import Twins
from jepa.evaluation.png import encode_png
from jepa.worlds.perturbations import Perturbation


def step_rows(
    found: Sequence[Twins],
    perturbation: Perturbation,
    calibration: Calibration,
    frameskip: int,
    common: Row,
    episodes: int,
) -> Iterator[Row]:
    """Yields rows of the episodes that were struck and of their untouched twins.

    Those of the first `episodes` have a row for each frame 1 … T-1, the others for the event's frame alone: by these
    rows two models are compared on all episodes.
    """
    shared = {name: common[name] for name in ("split", "protocol", "seed")}
    shared |= {"shift": perturbation.name, "strength": perturbation.strength}
    left = episodes
    for twins in found:
        struck = twins.struck[perturbation.name][None]
        untouched_NT = twins.untouched[1]
        struck_NT = np.concatenate([untouched_NT[:, : twins.at], struck.surprise_NF], axis=1)
        labels = {**shared, "event_step": twins.event * frameskip}
        for n in np.flatnonzero(struck.struck_N):
            whole, left = left > 0, left - 1
            for perturbed, own_NT in ((True, struck_NT), (False, untouched_NT)):
                frames = _frames(twins, perturbation, n, perturbed) if whole else None
                own = {**labels, "episode": twins.episodes[n], "perturbed": perturbed}
                rows = list(_of_replay(own, own_NT[n], calibration, frameskip, frames))
                yield from rows if whole else rows[twins.at : twins.at + 1]


def _of_replay(
    labels: Row, surprise_T: Floats, calibration: Calibration, frameskip: int, frames: Pixels | None
) -> Iterator[Row]:
    normalised = calibration.score(Measure(NORMALISED, 1), surprise_T).tolist() if 1 in calibration.usual else None
    for place, value in enumerate(surprise_T.tolist()):
        row = {**labels, "step": (place + 1) * frameskip, "surprise": value}
        if normalised is not None:
            row["normalised"] = normalised[place]
        if frames is not None:
            row["frame"] = encode_png(frames[place + 1])
        yield row


def _frames(twins: Twins, perturbation: Perturbation, n: int, perturbed: bool) -> Pixels | None:
    """Returns the frames (T, H, W, 3) of a replay, where they were kept."""
    if twins.frames_untouched is None or n >= len(twins.frames_untouched):
        return None
    untouched: Pixels = twins.frames_untouched[n]
    return np.concatenate([untouched[: twins.event], twins.frames[perturbation.name][n]]) if perturbed else untouched
