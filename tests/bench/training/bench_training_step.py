"""Where a training step of the small encoder goes on one core, against the core's peak and against plain layers.

`python -m tests.bench.training.bench_training_step [small|lewm-tiny]`; `--save` keeps the figures, `--store URI
--dataset NAME` adds the loader's. All times are processor time of one thread (`time.thread_time`), medians of runs in
alternation, for the machine may be shared. Parts are timed by themselves, each with its own inputs and gradient.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from infra.storage import open_store
from jepa.core.clips import Clips
from jepa.models.layers.channels_last import FlattenedChannels
from jepa.models.layers.strided_conv import StridedConv
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.objectives import make_objective
from jepa.objectives.lewm import LeWM
from jepa.objectives.terms.diagnostics import latent_diagnostics
from jepa.objectives.terms.joint_head import joint_head_loss
from jepa.training.recipes import RECIPES, Recipe
from jepa.training.trainer import TrainConfig, Trainer
from pipelines.loader import ClipRequest, LoaderConfig, open_loader
from pipelines.store import Dataset
from tests.bench.record import record

SMALL = Recipe(
    model=ModelConfig(latent_size=64, encoder_options={"channels": (32, 64, 128)}),
    objective_options={"joint_head": "inverse"},
    train=TrainConfig(horizon=3),
)
CLIPS, FRAMES, SIDE = 128, 4, 64
BETWEEN_LOGS = 100
"""A step that is not logged."""
Step = Callable[[], Any]


def trainer_of(name: str, plain: bool = False) -> Trainer:
    """Returns a trainer of a recipe; `plain` with torch's own convolutions and Flatten, as before."""
    recipe = SMALL if name == "small" else RECIPES.get(name)
    objective = make_objective("lewm", WorldModel.from_config(recipe.model), recipe.objective_options)
    for module in objective.modules() if plain else ():
        if isinstance(module, StridedConv):
            module.__class__ = nn.Conv2d  # type: ignore[assignment] # it adds no attribute
        elif isinstance(module, FlattenedChannels):
            module.__class__ = nn.Flatten  # type: ignore[assignment]
            module.start_dim, module.end_dim = 1, -1  # type: ignore[assignment]
    return Trainer(objective, recipe.train.model_copy(update={"steps": 10**6}))


def make_clips() -> Clips:
    """Returns random clips."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (CLIPS, FRAMES, SIDE, SIDE, 3), generator=generator, dtype=torch.uint8)
    return Clips(pixels, torch.randn(CLIPS, FRAMES - 1, 5, 2, generator=generator), {})


def step_of(trainer: Trainer, clips: Clips) -> Step:
    """Returns a step that is not logged."""

    def step() -> None:
        trainer.completed_steps = BETWEEN_LOGS
        trainer.step(clips)

    return step


def milliseconds(steps: Mapping[str, Step], runs: int) -> dict[str, list[float]]:
    """Returns processor time by name, of as many runs in alternation."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for run in range(-3, runs):
        for name in list(steps)[:: -1 if run % 2 else 1]:
            began = time.thread_time()
            steps[name]()
            if run >= 0:
                taken[name].append(1e3 * (time.thread_time() - began))
    return taken


def layers_of(trainer: Trainer, clips: Clips) -> tuple[dict[str, Step], dict[str, float]]:
    """Returns forward and backward of each layer of the encoder, and the operations of its convolutions in 10⁹."""
    steps: dict[str, Step] = {}
    work: dict[str, float] = {}
    model = trainer.objective.model
    pixels_NCHW = clips.pixels_BTHWC.flatten(0, 1).permute(0, 3, 1, 2)
    steps["pixels to bfloat16"] = lambda: model._scale(pixels_NCHW.to(torch.bfloat16))
    x = model._scale(pixels_NCHW.to(torch.bfloat16))
    layers: Any = model.encoder.layers
    for place, layer in enumerate(layers):
        name = f"encoder {place} {type(layer).__name__}"
        x = x.detach().requires_grad_(place > 0)
        y = forward(layer, x)
        if isinstance(layer, nn.Conv2d):
            work[name] = (4 + 2 * (place > 0)) * layer.weight.numel() * y.numel() / y.shape[1] / 1e9
        steps[name] = both(layer, x, torch.randn(y.shape).to(y.dtype))
        x = y
    return steps, work


def forward(module: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Returns what a part computes within a step."""
    with torch.autocast("cpu", torch.bfloat16):
        return module(*inputs)


def both(module: Callable[..., Tensor], x: Tensor, gradient: Tensor) -> Step:
    """Returns a part's forward and backward pass."""
    if x.dim() == 4 and gradient.dim() == 4:
        gradient = gradient.contiguous(memory_format=torch.channels_last)

    def run() -> None:
        for leaf in (x, *(module.parameters() if isinstance(module, nn.Module) else ())):
            leaf.grad = None
        forward(module, x).backward(gradient)

    return run


def rest_of(trainer: Trainer, clips: Clips) -> dict[str, Step]:
    """Returns the parts after the encoder."""
    objective, model = trainer.objective, trainer.objective.model
    assert isinstance(objective, LeWM)
    size = model.config.latent_size
    features = torch.randn(CLIPS * FRAMES, model.encoder.feature_size).to(torch.bfloat16).requires_grad_()
    z_BTD = torch.randn(CLIPS, FRAMES, size).requires_grad_()
    one, head = torch.ones(()), objective.joint_head
    steps = {
        "projector": both(model.projector, features, torch.randn(CLIPS * FRAMES, size).to(torch.bfloat16)),
        "predictor": both(lambda z: model.predict(z[:, :-1], clips.action_BTKA), z_BTD, torch.randn(CLIPS, 3, size)),
        "SIGReg": both(lambda z: objective.sigreg(z.transpose(0, 1), BETWEEN_LOGS, 0), z_BTD, one),
        "diagnostics of a logged step": lambda: latent_diagnostics(z_BTD, sigreg=False),
        "clip the gradient": lambda: nn.utils.clip_grad_norm_(trainer._trained.values(), 1.0),
        "AdamW": trainer._optimizer.step,
    }
    if head is not None:
        action = clips.action_BTKA
        steps["head inverse"] = both(
            lambda z: joint_head_loss(head, objective.config, model, z, action, BETWEEN_LOGS, 0), z_BTD, one
        )
    return steps


def peak() -> float:
    """Returns the operations a second, in 10⁹, of a product of two matrices of 1024² in bfloat16."""
    a, b = (torch.randn(1024, 1024).to(torch.bfloat16) for _ in range(2))
    return 2 * 1024**3 / 1e6 / statistics.median(milliseconds({"product": lambda: a @ b}, 15)["product"])


def loader(uri: str, dataset: str, batches: int = 100) -> dict[str, float]:
    """Returns the processor time of a batch by all threads of the loader."""
    request = ClipRequest(
        dataset=Dataset(open_store(uri), dataset),
        split="train",
        history=1,
        horizon=3,
        frameskip=5,
        batch_size=CLIPS,
        seed=0,
        rank=0,
        world_size=1,
        config=LoaderConfig(),
    )
    with open_loader(request) as clips:
        for _ in range(30):
            next(clips)
        began = time.process_time()
        for _ in range(batches):
            next(clips)
        return {"milliseconds_a_batch": round(1e3 * (time.process_time() - began) / batches, 2)}


def profile(name: str, runs: int) -> dict[str, Any]:
    """Returns a step's time with the layers of now and plain ones, and that of each part."""
    clips, trainer = make_clips(), trainer_of(name)
    steps = {"now": step_of(trainer, clips), "plain": step_of(trainer_of(name, plain=True), clips)}
    taken = milliseconds(steps, runs)
    whole = statistics.median(taken["now"])
    layers, work = layers_of(trainer, clips)
    plain_layers, _ = layers_of(trainer_of(name, plain=True), clips)
    convolutions = {f"plain {part}": plain_layers[part.replace("StridedConv", "Conv2d")] for part in work}
    parts = {
        part: statistics.median(found)
        for part, found in milliseconds(layers | convolutions | rest_of(trainer, clips), runs).items()
    }
    best = peak()
    rate = {part: {"now": gf / parts[part], "plain": gf / parts[f"plain {part}"]} for part, gf in work.items()}
    mine = {part: took for part, took in parts.items() if not part.startswith(("plain", "diagnostics"))}
    mine["diagnostics, a step's part"] = parts["diagnostics of a logged step"] / trainer.config.log_every
    mine["the rest"] = whole - sum(mine.values())
    ratios = sorted(plain / now for plain, now in zip(taken["plain"], taken["now"], strict=True))
    return {
        "milliseconds": {way: round(statistics.median(found), 1) for way, found in taken.items()},
        "plain_to_now": {"median": round(statistics.median(ratios), 3), "quartiles": _quartiles(ratios)},
        "peak_gflops": round(best),
        "share_of_the_step": {part: round(took / whole, 3) for part, took in mine.items()},
        "part_milliseconds": {part: round(took, 2) for part, took in mine.items()},
        "share_of_peak": {
            part: {way: round(1e3 * one / best, 2) for way, one in found.items()} for part, found in rate.items()
        },
    }


def _quartiles(ratios: list[float]) -> list[float]:
    return [round(value, 3) for value in statistics.quantiles(ratios, n=4)[::2]]


def main() -> None:
    """Prints the profile of a model, or keeps it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", nargs="*", default=["small", "lewm-tiny"])
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--store")
    parser.add_argument("--dataset")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {"runs": options.runs} | {name: profile(name, options.runs) for name in options.model}
    if options.store and options.dataset:
        figures["loader"] = loader(options.store, options.dataset)
    if options.save:
        record("training_step", figures)
    else:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
