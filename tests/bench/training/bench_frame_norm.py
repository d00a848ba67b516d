"""Why a block's new colour stands out less where the encoder normalises each frame by itself (GroupNorm, one group).

    python -m tests.bench.training.bench_frame_norm --store runs --dataset pusht [--steps 1200] [--seeds 0] [--save]

Trains the small encoder with GroupNorm, with BatchNorm, and with what is tried in their place, and recolours the block
of test episodes at one frame, without an action block in between. Distances are squared, and in units of what one
action block changes at the same frame; so is the error of the model's prediction of it, which surprise is made of.
Each cause is then taken away by itself in the trained model: the recoloured frame keeps the normalisation of its twin,
or gets its own where BatchNorm has fixed statistics. Shapes: N episodes, C channels, H × W places, D latent.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from infra.storage import open_store
from jepa.evaluation.kinds.surprise.replays import replaying
from jepa.evaluation.statistics.auroc import paired_auroc
from jepa.models.layers.batch_norm import GlobalBatchNorm
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.objectives import make_objective
from jepa.training.trainer import TrainConfig, Trainer
from jepa.worlds import WORLDS
from pipelines.loader import ClipRequest, LoaderConfig, open_loader
from pipelines.store import Dataset
from tests.bench.record import record

EPISODES = 200
Floats = np.ndarray[Any, np.dtype[np.float64]]


class FixedNorm(nn.Module):
    """A scale and a shift for each channel, set by the first batch so that it leaves it with mean 0 and spread 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.set = False

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if not self.set:
            with torch.no_grad():
                var_C, mean_C = torch.var_mean(x_NCHW.float(), dim=(0, 2, 3))
                self.weight.copy_((var_C + 1e-5).rsqrt())
                self.bias.copy_(-mean_C * self.weight)
            self.set = True
        scaled: Tensor = x_NCHW * self.weight.to(x_NCHW.dtype)[:, None, None]
        return scaled + self.bias.to(x_NCHW.dtype)[:, None, None]


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "GroupNorm, 1 group": lambda channels: nn.GroupNorm(1, channels),
    "BatchNorm": GlobalBatchNorm,
    "fixed scale": FixedNorm,
}


def trained(norm: str, dataset: Dataset, steps: int, seed: int, head: bool) -> WorldModel:
    """Returns the small model with that norm in its encoder, trained on the dataset."""
    size, action = dataset.manifest.image_size[0], dataset.statistics["action"]
    config = ModelConfig(image_size=size, latent_size=64, encoder_options={"channels": (32, 64, 128)})
    model = WorldModel.from_config(config.model_copy(update={"action_size": dataset.action_size}), seed)
    layers: Any = model.encoder.layers
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.GroupNorm):
            layers[place] = NORMS[norm](layer.num_channels)
    model.set_action_statistics(np.asarray(action.mean), np.asarray(action.std))
    options: dict[str, Any] = {"sigreg_weight": 0.1, "sigreg_weight_end": 0.01, "hold": 0.4, "settle": 0.8}
    options |= {"joint_head": "inverse"} if head else {}
    trainer = Trainer(make_objective("lewm", model, options, seed), TrainConfig(steps=steps, seed=seed))
    request = ClipRequest(
        dataset=dataset,
        split="train",
        history=1,
        horizon=3,
        frameskip=5,
        batch_size=128,
        seed=seed,
        rank=0,
        world_size=1,
        config=LoaderConfig(),
    )
    with open_loader(request) as clips:
        while not trainer.finished:
            trainer.step(next(clips))
    return model.eval()


@dataclass(frozen=True)
class Frames:
    """Of N episodes: the frame before the event, the event's as it went on, and the same recoloured; uint8."""

    before: Tensor
    untouched: Tensor
    recoloured: Tensor
    action_N1KA: Tensor


def recoloured_frames(dataset: Dataset, count: int) -> Frames:
    """Returns the frames of test episodes in whose middle the block gets another colour."""
    _, alike = next(groupby(dataset.episodes("test", limit=count), key=lambda one: one.steps))
    episodes = list(alike)
    event = (episodes[0].steps // 5 + 1) // 2
    one = next(one for one in WORLDS.get(dataset.world).world_spec.perturbations if one.name == "recolour")
    with replaying(episodes, dataset.world, dataset.world_options, 5, event) as replays:
        went = replays.untouched()
        ((struck_NFHWC, struck_N),) = replays.struck(one, 0, {None: 1})
    assert struck_N.all()
    seen = went.pixels_NTHWC
    before, untouched, recoloured = (
        torch.from_numpy(part.copy()) for part in (seen[:, event - 1], seen[:, event], struck_NFHWC[:, 0])
    )
    return Frames(before, untouched, recoloured, torch.from_numpy(went.action_NTKA[:, event - 1 : event]))


def stages(model: WorldModel, pixels_NHWC: Tensor) -> list[tuple[str, Tensor]]:
    """Returns what each layer of the encoder gives, and the latent last."""
    x = model._scale(pixels_NHWC.permute(0, 3, 1, 2).float())
    found = []
    layers: Any = model.encoder.layers
    for place, layer in enumerate(layers):
        x = layer(x)
        found.append((f"{place} {type(layer).__name__}", x))
    return [*found, ("latent", model.projector(x))]


def with_twins_statistics(model: WorldModel, pixels_NHWC: Tensor, twin_NHWC: Tensor) -> Tensor:
    """Returns latents of frames whose GroupNorms use the mean and spread of their twins' frames."""
    x, twin = (model._scale(one.permute(0, 3, 1, 2).float()) for one in (pixels_NHWC, twin_NHWC))
    layers: Any = model.encoder.layers
    for layer in layers:
        if isinstance(layer, nn.GroupNorm):
            mean, std = frame_moments(twin, layer.num_groups, layer.eps)
            x = (x.unflatten(1, (layer.num_groups, -1)) - mean) / std
            x = x.flatten(1, 2) * layer.weight[:, None, None] + layer.bias[:, None, None]
        else:
            x = layer(x)
        twin = layer(twin)
    z_ND: Tensor = model.projector(x)
    return z_ND


def with_twins_moments(model: WorldModel, pixels_NHWC: Tensor, twin_NHWC: Tensor) -> Tensor:
    """Returns latents of frames that get their twins' mean and spread in front of each norm."""
    x, twin = (model._scale(one.permute(0, 3, 1, 2).float()) for one in (pixels_NHWC, twin_NHWC))
    layers: Any = model.encoder.layers
    for place, layer in enumerate(layers):
        if place % 3 == 1 and place < len(layers) - 1:
            (mean, std), (twin_mean, twin_std) = (frame_moments(one, 1, 1e-5) for one in (x, twin))
            x = (((x.unflatten(1, (1, -1)) - mean) / std) * twin_std + twin_mean).flatten(1, 2)
        x, twin = layer(x), layer(twin)
    z_ND: Tensor = model.projector(x)
    return z_ND


def frame_moments(x_NCHW: Tensor, groups: int, eps: float) -> tuple[Tensor, Tensor]:
    """Returns mean and standard deviation of each frame's groups, to be subtracted from (N, groups, C', H, W)."""
    var, mean = torch.var_mean(x_NCHW.unflatten(1, (groups, -1)), dim=(2, 3, 4), correction=0, keepdim=True)
    return mean, (var + eps).sqrt()


def moved(x: Tensor, y: Tensor) -> Floats:
    """Returns squared distances of rows."""
    return (x - y).double().flatten(1).square().sum(1).numpy()


@torch.inference_mode()
def judged(model: WorldModel, frames: Frames) -> dict[str, Any]:
    """Returns how far the new colour moves the latent, where in the encoder that comes about, and what it is worth."""
    parts = [dict(stages(model, one)) for one in (frames.before, frames.untouched, frames.recoloured)]
    ratio = {
        name: round(float(np.sum(moved(parts[2][name], y)) / np.sum(moved(y, parts[0][name]))), 2)
        for name, y in parts[1].items()
    }
    before, untouched, recoloured = (one["latent"] for one in parts)
    expected = model.predict(before[:, None], frames.action_N1KA)[:, 0]
    unit = float(np.mean(moved(untouched, before)))
    usual, struck = moved(expected, untouched), moved(expected, recoloured)
    last = f"{len(model.encoder.layers) - 1} FlattenedChannels"  # type: ignore[arg-type]
    figures = {
        "n": len(before),
        "recolour_auroc": _estimate(struck, usual),
        "moved_by_colour": round(float(np.mean(moved(recoloured, untouched))) / unit, 3),
        "usual_error": round(float(np.mean(usual)) / unit, 3),
        "usual_error_90th": round(float(np.quantile(usual, 0.9)) / unit, 3),
        "moved_by_layer": ratio,
        "length_of_features": round(float((parts[2][last].square().sum(1) / parts[1][last].square().sum(1)).mean()), 3),
        "std": round(float(untouched.std(0).mean()), 3),
    }
    grouped = any(isinstance(layer, nn.GroupNorm) for layer in model.encoder.modules())
    swapped = (with_twins_statistics if grouped else with_twins_moments)(model, frames.recoloured, frames.untouched)
    way = "with_its_twins_statistics" if grouped else "with_its_twins_moments"
    figures[way] = {
        "moved_by_colour": round(float(np.mean(moved(swapped, untouched))) / unit, 3),
        "recolour_auroc": _estimate(moved(expected, swapped), usual),
    }
    return figures


def _estimate(struck: Floats, usual: Floats) -> list[float]:
    one = paired_auroc(struck, usual)
    return [round(float(value), 3) for value in (one.value, one.low, one.high)]


def main() -> None:
    """Trains and judges each norm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--store", default="runs")
    parser.add_argument("--dataset", default="pusht")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--norms", nargs="+", default=["GroupNorm, 1 group", "BatchNorm"], choices=list(NORMS))
    parser.add_argument("--head", action="store_true")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    dataset = Dataset(open_store(options.store), options.dataset)
    frames = recoloured_frames(dataset, EPISODES)
    figures: dict[str, Any] = {"dataset": options.dataset, "world": dataset.world, "steps": options.steps}
    for seed in options.seeds:
        for norm in options.norms:
            began = time.thread_time()
            model = trained(norm, dataset, options.steps, seed, options.head)
            took = time.thread_time() - began
            figures.setdefault(norm, {})[str(seed)] = judged(model, frames) | {"training_seconds": round(took)}
            print(norm, seed, json.dumps(figures[norm][str(seed)]), flush=True)
    if options.save:
        record(f"frame_norm_{dataset.world}", figures)


if __name__ == "__main__":
    main()
