"""Decoding: latents drawn as pictures, those that were encoded and those that the model imagines.

A decoder is fitted to frozen latents of training frames (LeWorldModel's diagnostic, arXiv:2603.19312) and judged on
held-out episodes. From each frame the model is rolled out under the recorded actions; what it imagines after k action
blocks is drawn and compared with the frame that came.
Shapes: T + 1 frames an action block apart, H action blocks of a rollout, K actions in an action block (the frameskip),
A action dimensions, D latent.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor

from jepa.core.episodes import Actions, Episode, EpisodeSource
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import (
    EVALUATIONS,
    Evaluation,
    EvaluationResult,
    Row,
    metric_row,
    present_splits,
    require_episodes,
)
from jepa.evaluation.kinds.decoding.fitting import DecoderFitConfig, FittedDecoder, fit_decoder, shrunk
from jepa.evaluation.kinds.decoding.report import HEADLINES, SECTION, TABLES
from jepa.evaluation.png import encode_png
from jepa.evaluation.statistics import bootstrap_mean
from jepa.models.decoder import frames
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel

Floats = NDArray[np.float32]
LEAST_ERROR = 1e-10
"""Mean squared error below which PSNR no longer rises: 100 dB."""


class DecodingConfig(DecoderFitConfig):
    """The decoder, and how much is drawn with it."""

    episodes: PositiveInt = 50
    """episodes of each held-out split"""
    horizon: int = Field(8, gt=0, le=10_000)
    """H, the decoding horizon: action blocks that are imagined from each frame"""
    episodes_shown: NonNegativeInt = 2
    """episodes of each split whose pictures are kept for the report"""


@dataclass(frozen=True)
class EpisodeDrawn:
    """Mean squared error of each picture of an episode, by what was drawn, beside that of the mean training frame."""

    decoder: dict[str, Floats]
    mean_frame: dict[str, Floats]


@torch.inference_mode()
def imagine(model: WorldModel, z_TD: Floats, action_TKA: Actions, horizon: int) -> Floats:
    """Returns latents (T, H, D): from each of T frames, after each of H action blocks.

    The actions of the episode end; entries that would need more of them are computed with zeros and mean nothing.
    """
    device = next(model.parameters()).device
    padded = np.concatenate([action_TKA, np.zeros((horizon - 1, *action_TKA.shape[1:]), np.float32)])
    action_TKAH = np.lib.stride_tricks.sliding_window_view(padded, horizon, axis=0)
    action_THKA = torch.from_numpy(np.ascontiguousarray(np.moveaxis(action_TKAH, -1, 1))).to(device)
    z_T1D = torch.from_numpy(z_TD[: len(action_TKA), None]).to(device)
    return model.rollout(z_T1D, action_THKA).float().cpu().numpy()


@EVALUATIONS.register("decoding")
class DecodingEvaluation(Evaluation):
    """Fits one decoder and draws with it what each held-out split holds."""

    kind = "decoding"
    Config = DecodingConfig
    tables = TABLES
    headlines = HEADLINES
    section = SECTION

    def __init__(self, config: DecodingConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns one unit: all figures share the fitted decoder.

        Raises:
            InputError: there are no training or test episodes.
        """
        require_episodes(source, self.kind)
        return ["decoder"]

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns `psnr` and `mse` of what is drawn, and rows of pictures of a few episodes.

        `quantity` is `encoded` or `imagined_k` after k action blocks; `probe` is `decoder`, or `mean_frame` for the
        mean training frame held against the same frames.

        Raises:
            InputError: no held-out episode has a whole action block.
        """
        started = time.perf_counter()
        decoder = fit_decoder(model, source, self.config, seed)
        result = EvaluationResult(tables={"pictures": []})
        for split in present_splits(source):
            common = {"evaluation": self.kind, "protocol": self.protocol, "split": split, "seed": seed}
            result.extend(self._judge(decoder, model, source, common))
        for row in result.metrics:
            row["seconds"] = time.perf_counter() - started
        return result

    def _judge(self, decoder: FittedDecoder, model: WorldModel, source: EpisodeSource, common: Row) -> EvaluationResult:
        drawn: list[EpisodeDrawn] = []
        rows: list[Row] = []
        for episode in source.episodes(common["split"], limit=self.config.episodes):
            if episode.steps < model.config.frameskip:
                continue
            errors, strips = self._draw(decoder, model, episode)
            if len(drawn) < self.config.episodes_shown:
                shared = {name: common[name] for name in ("split", "protocol", "seed")} | {"episode": episode.index}
                rows += [{**shared, **row} for row in _picture_rows(strips, model.config.frameskip)]
            drawn.append(errors)
        if not drawn:
            raise InputError(
                f"no {common['split']!r} episode has {model.config.frameskip} steps, which decoding needs; "
                "collect longer episodes"
            )
        return EvaluationResult(decoding_metrics(drawn, common), {"pictures": rows})

    def _draw(
        self, decoder: FittedDecoder, model: WorldModel, episode: Episode
    ) -> tuple[EpisodeDrawn, dict[str, Tensor]]:
        """Returns the errors of all that an episode gives to draw, and its first pictures by where they come from."""
        frameskip, horizon = model.config.frameskip, self.config.horizon
        blocks = episode.steps // frameskip
        pixels = episode.frames_at(episode.every(frameskip))
        z_TD = encode_pixels(model, pixels)
        action_TKA = episode.action[: blocks * frameskip].reshape(blocks, frameskip, -1)
        imagined_THD = imagine(model, z_TD, action_TKA, horizon)
        true, encoded = shrunk(pixels, self.config.side_of(pixels.shape[1])), decoder.draw(z_TD)
        errors, floor_T = {"encoded": _errors(encoded, true)}, _errors(decoder.mean, true)
        floors, first = {"encoded": floor_T}, [encoded[:1]]
        for k in range(1, min(horizon, blocks) + 1):
            name = f"imagined_{k:0{len(str(horizon))}}"
            picture = decoder.draw(imagined_THD[: blocks - k + 1, k - 1])
            errors[name], floors[name] = _errors(picture, true[k:]), floor_T[k:]
            first.append(picture[:1])
        shown = len(first)
        strips = {"true": true[:shown], "encoded": encoded[:shown], "imagined": torch.cat(first)}
        return EpisodeDrawn(errors, floors), strips


def decoding_metrics(drawn: list[EpisodeDrawn], common: Row) -> list[Row]:
    """Returns `mse` (of values in [0, 1]) and `psnr` (dB), means over episodes of the means over their pictures."""
    seed = derive_seed(common["seed"], "decoding", common["split"])
    rows = []
    for name in max((episode.decoder for episode in drawn), key=len):
        for probe in ("decoder", "mean_frame"):
            found = [getattr(episode, probe)[name] for episode in drawn if name in episode.decoder]
            labels = {**common, "quantity": name, "probe": probe}
            mse = bootstrap_mean([errors.mean() for errors in found], seed)
            psnr = bootstrap_mean([_psnr(errors).mean() for errors in found], seed)
            rows.append(metric_row(mse, metric="mse", unit="1", **labels))
            rows.append(metric_row(psnr, metric="psnr", unit="dB", **labels))
    return rows


def _errors(picture: Tensor, true: Tensor) -> Floats:
    """Returns the mean squared error of each picture, its values taken from [-1, 1] to [0, 1]."""
    return ((picture - true) / 2).square().mean((1, 2, 3)).numpy()


def _psnr(mse: Floats) -> Floats:
    """Returns the peak signal-to-noise ratio, 10 log10 (1 / mse), in dB."""
    return np.asarray(-10 * np.log10(np.maximum(mse, LEAST_ERROR)))


def _picture_rows(strips: dict[str, Tensor], frameskip: int) -> list[Row]:
    return [
        {"source": source, "step": k * frameskip, "frame": encode_png(frame)}
        for source, strip in strips.items()
        for k, frame in enumerate(frames(strip).numpy())
    ]
