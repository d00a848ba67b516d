"""One training step of one model by our code and by stable-worldmodel's modules: time, losses, and where time goes.

ViT-Tiny at 56 pixels, 32 clips of 4 frames, the released sizes otherwise, the same weights, clips and directions; no
dropout, whose draws would differ. Run: `python -m tests.bench.training.bench_step`; `--save` keeps the figures.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from jepa.core.clips import Clips
from jepa.core.seeds import seeded
from jepa.models.import_lewm import import_lewm, released_config
from jepa.models.world_model import IMAGENET_MEAN, IMAGENET_STD
from jepa.objectives import make_objective
from jepa.training.trainer import TrainConfig, Trainer
from tests.bench.record import record
from tests.jepa.models.test_import_lewm import theirs

SIZE, CLIPS, FRAMES, SKIP, ACTIONS = 56, 32, 4, 5, 2
WEIGHT, DIRECTIONS, RATE, DECAY = 0.09, 1024, 5e-5, 1e-3
Step = Callable[[int], dict[str, float]]


class Parts:
    """Seconds by part of a step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Adds the time of its body to a part."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def watch(self, name: str, module: nn.Module) -> None:
        """Adds the time of a module's forward passes to a part."""
        forward = module.forward

        def timed(*inputs: Any, **options: Any) -> Any:
            with self.part(name):
                return forward(*inputs, **options)

        module.forward = timed


def make_clips() -> Clips:
    """Returns random frames and actions."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (CLIPS, FRAMES, SIZE, SIZE, 3), generator=generator, dtype=torch.uint8)
    return Clips(pixels, torch.randn(CLIPS, FRAMES - 1, SKIP, ACTIONS, generator=generator), {})


def released() -> nn.Module:
    """Returns the package's model, equal weights every time."""
    torch.manual_seed(0)
    model = theirs(SIZE, 14, 192, 64, (12, 6), (3, 16))
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout") and isinstance(module.dropout, float):
            module.dropout = 0.0  # type: ignore[assignment] # to torch an attribute is a tensor or a module
    return model


def our_step(clips: Clips, parts: Parts) -> Step:
    """Returns a step of our trainer."""
    tensors = released().state_dict()
    config = released_config(tensors, SKIP)
    config = config.model_copy(update={"predictor_options": config.predictor_options | {"dropout": 0.0}})
    options = {"sigreg_weight": WEIGHT, "sigreg_weight_end": WEIGHT, "sigreg": {"directions": DIRECTIONS}}
    objective = make_objective("lewm", import_lewm(tensors, config), options)
    train = TrainConfig(
        steps=10**6, batch_size=CLIPS, horizon=1, learning_rate=RATE, weight_decay=DECAY, warmup=0.0, precision="fp32"
    )
    trainer = Trainer(objective, train.model_copy(update={"log_every": 10**6}))
    for name in ("encoder", "projector", "predictor"):
        parts.watch(name, getattr(trainer.objective.model, name))
    parts.watch("sigreg", trainer.objective.sigreg)  # type: ignore[arg-type]
    backward = trainer._loss_scale.backward

    def timed_backward(loss: Tensor) -> None:
        with parts.part("backward"):
            backward(loss)

    trainer._loss_scale.backward = timed_backward  # type: ignore[method-assign]

    def step(number: int) -> dict[str, float]:
        trainer.completed_steps = number
        return trainer.step(clips)

    return step


def their_step(clips: Clips, parts: Parts) -> Step:
    """Returns a step of the package's modules, put together as its training script does."""
    from stable_worldmodel.wm.loss import SIGReg

    model: Any = released().train()
    sigreg = SIGReg(knots=17, num_proj=DIRECTIONS)
    for name, module in (("encoder", model.encoder), ("projector", model.projector), ("sigreg", sigreg)):
        parts.watch(name, module)
    parts.watch("predictor", model.predictor)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    action = torch.cat([clips.action_BTKA.flatten(2), torch.zeros(CLIPS, 1, SKIP * ACTIONS)], dim=1)
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)

    def step(number: int) -> dict[str, float]:
        scaled = ((clips.pixels_BTHWC / 255 - mean) / std).permute(0, 1, 4, 2, 3)
        info = model.encode({"pixels": scaled, "action": action})
        emb, act = info["emb"], info["act_emb"]
        prediction = (model.predict(emb[:, :-1], act[:, :-1]) - emb[:, 1:]).pow(2).mean()
        # Their directions come from the global generator: seeded as ours are, they are ours.
        with seeded(0, "sigreg", 0, number):
            regulariser = sigreg(emb.transpose(0, 1))
        loss = prediction + WEIGHT * regulariser
        optimizer.zero_grad()
        with parts.part("backward"):
            loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if number:
            return {}
        return {"loss": loss.item(), "prediction": prediction.item(), "sigreg": regulariser.item()}

    return step


def main() -> None:
    """Alternates steps of both and prints medians, losses and parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clips, parts = make_clips(), {"ours": Parts(), "theirs": Parts()}
    steps = {"ours": our_step(clips, parts["ours"]), "theirs": their_step(clips, parts["theirs"])}
    losses = {who: step(0) for who, step in steps.items()}
    for part in parts.values():
        part.seconds.clear()
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number in range(1, options.steps + 1):
        for who, step in steps.items():
            start = time.perf_counter()
            step(number)
            seconds[who].append(time.perf_counter() - start)
    medians = {who: statistics.median(taken) for who, taken in seconds.items()}
    figures: dict[str, Any] = {
        "threads": options.threads,
        "steps": options.steps,
        "median_milliseconds": {who: round(1e3 * median, 1) for who, median in medians.items()},
        "theirs_to_ours": round(medians["theirs"] / medians["ours"], 2),
        "first_step": {who: {name: losses[who][name] for name in ("loss", "prediction", "sigreg")} for who in losses},
    }
    for who, part in parts.items():
        mean = {name: 1e3 * total / options.steps for name, total in part.seconds.items()}
        mean["optimiser and the rest"] = 1e3 * sum(seconds[who]) / options.steps - sum(mean.values())
        figures[f"mean_milliseconds_{who}"] = {name: round(value, 1) for name, value in mean.items()}
    if options.save:
        record(f"step_cpu_{options.threads}_threads", figures)
    else:
        print(figures)


if __name__ == "__main__":
    main()
