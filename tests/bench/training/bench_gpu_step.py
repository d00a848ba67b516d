"""A training step on one or more GPUs, without Ray: clips a second, time by part, memory, and what the host waits for.

python -m tests.bench.training.bench_gpu_step                       # recipe `lewm`: 224 pixels, 128 clips, one GPU
python -m tests.bench.training.bench_gpu_step --gpus 8 --batch 1024 --save  # all GPUs of a machine; keeps the figures
python -m tests.bench.training.bench_gpu_step --device cpu --tiny   # shows that it runs, on a machine without one

Each variant (fp32, bf16, bf16 compiled) is timed as a whole, then once more by part. `host_milliseconds` is what the
host takes to queue a step: near the step's own time, the GPU waits for the host. `waits` counts what makes the host
wait for the GPU in a step that is not logged; there should be none.
"""

import argparse
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from jepa.core.clips import Clips
from jepa.core.collectives import world_size
from jepa.models.world_model import WorldModel
from jepa.objectives import make_objective
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig
from jepa.training.compute import ComputeConfig
from jepa.training.recipes import RECIPES, Recipe
from jepa.training.trainer import TrainConfig, Trainer
from tests.bench.record import record
from tests.jepa.training.stand_in import Waits

VARIANTS: dict[str, tuple[str, str]] = {
    "fp32": ("fp32", "off"),
    "bf16": ("bf16", "off"),
    "bf16 compiled": ("bf16", "default"),
}
"""Precision and mode of torch.compile."""
TILES = (131_072, 1_048_576, 16_777_216)
"""Sizes of SIGReg's tile that are compared."""
ACTIONS, WARM_UP = 2, 5


@dataclass(frozen=True)
class Task:
    """What is measured, in each process."""

    device: str
    processes: int
    recipe: Recipe
    variants: tuple[str, ...]
    steps: int


class Clock:
    """Time on a device by part, taken without making the host wait: events on a GPU, the process's clock elsewhere."""

    def __init__(self, device: torch.device) -> None:
        self._gpu = device.type == "cuda"
        self._marks: list[tuple[str, Any, Any]] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Adds the time of its body to a part."""
        start = self._now()
        yield
        self._marks.append((name, start, self._now()))

    def watch(self, name: str, owner: Any, method: str = "forward") -> None:
        """Adds the time of each call of a method to a part."""
        called: Callable[..., Any] = getattr(owner, method)

        def timed(*inputs: Any, **options: Any) -> Any:
            with self.part(name):
                return called(*inputs, **options)

        setattr(owner, method, timed)

    def milliseconds(self, steps: int) -> dict[str, float]:
        """Returns the mean time of a step by part."""
        synchronise(self._gpu)
        total: dict[str, float] = {}
        for name, start, end in self._marks:
            taken = start.elapsed_time(end) if self._gpu else 1e3 * (end - start)
            total[name] = total.get(name, 0.0) + taken / steps
        return {name: round(value, 2) for name, value in total.items()}

    def _now(self) -> Any:
        if not self._gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event


def synchronise(gpu: bool) -> None:
    """Waits until the GPU has done all that is queued."""
    if gpu:
        torch.cuda.synchronize()


def make_clips(recipe: Recipe, device: torch.device) -> Clips:
    """Returns this process's share of a global batch of noise, in pinned memory where a GPU is to fetch it."""
    model, count = recipe.model, recipe.train.batch_size // world_size()
    frames, size = model.history + recipe.train.horizon, model.image_size
    clips = Clips(
        torch.randint(0, 256, (count, frames, size, size, 3), dtype=torch.uint8),
        torch.randn(count, frames - 1, model.frameskip, ACTIONS),
        {},
    )
    if device.type != "cuda":
        return clips
    return Clips(clips.pixels_BTHWC.pin_memory(), clips.action_BTKA.pin_memory(), {})


def make_trainer(recipe: Recipe, variant: str, device: torch.device) -> Trainer:
    """Returns a trainer past its first, logged step; no other step is logged."""
    precision, compiled = VARIANTS[variant]
    fields = recipe.train.model_dump() | {"steps": 10**6, "log_every": 10**6, "precision": precision}
    objective = make_objective(recipe.objective, WorldModel.from_config(recipe.model), recipe.objective_options)
    compute = ComputeConfig.model_validate({"compile": compiled})
    trainer = Trainer(objective, TrainConfig.model_validate(fields), device, compute)
    trainer.completed_steps = 1
    return trainer


def measure_variant(task: Task, variant: str, device: torch.device) -> dict[str, Any]:
    """Returns the figures of one variant."""
    gpu, clips = device.type == "cuda", make_clips(task.recipe, device)
    trainer = make_trainer(task.recipe, variant, device)
    for _ in range(WARM_UP):
        trainer.step(clips)
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    synchronise(gpu)
    start, queued = time.perf_counter(), []
    for _ in range(task.steps):
        before = time.perf_counter()
        trainer.step(clips)
        queued.append(time.perf_counter() - before)
    synchronise(gpu)
    seconds = (time.perf_counter() - start) / task.steps
    return {
        "clips_per_second": round(task.recipe.train.batch_size / seconds, 1),
        "milliseconds": round(1e3 * seconds, 2),
        "host_milliseconds": round(1e3 * statistics.median(queued), 2),
        "peak_megabytes": round(torch.cuda.max_memory_allocated() / 2**20) if gpu else None,
        "waits": count_waits(trainer, clips, gpu),
        "milliseconds_by_part": time_parts(trainer, clips, task.steps, device),
    }


def count_waits(trainer: Trainer, clips: Clips, gpu: bool) -> int:
    """Returns how often a step that is not logged makes the host wait; on a CPU, how often it would on a GPU."""
    if not gpu:
        with Waits("cpu") as waits:
            trainer.step(clips)
        return len(waits.found)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        trainer.step(clips)
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in found)


def time_parts(trainer: Trainer, clips: Clips, steps: int, device: torch.device) -> dict[str, float]:
    """Returns the mean time of a step by part; a part within another counts in both."""
    clock = Clock(device)
    model = trainer.objective.model
    watched: list[tuple[str, Any, str]] = [
        ("encoder", model.encoder, "forward"),
        ("projector", model.projector, "forward"),
        ("predictor", model.predictor, "forward"),
        ("backward", trainer._loss_scale, "backward"),
        ("optimiser", trainer._loss_scale, "step"),
    ]
    sigreg = getattr(trainer.objective, "sigreg", None)
    if isinstance(sigreg, nn.Module):
        watched += [("sigreg", sigreg, "forward"), ("directions", sigreg, "directions")]
    for name, owner, method in watched:
        clock.watch(name, owner, method)
    for _ in range(steps):
        with clock.part("copy"):
            there = clips.to(device, torch.float32)
        with clock.part("whole step"):
            trainer.step(there)
    return clock.milliseconds(steps)


def time_tiles(recipe: Recipe, device: torch.device, repeats: int) -> dict[str, float]:
    """Returns milliseconds of SIGReg's value and gradient by the size of its tile, at the recipe's sizes."""
    frames, clips = recipe.model.history + recipe.train.horizon, recipe.train.batch_size // world_size()
    z_TND = torch.randn(frames, clips, recipe.model.latent_size, device=device, requires_grad=True)
    config = SIGRegConfig.model_validate(recipe.objective_options.get("sigreg", {}))
    taken = {}
    for tile in TILES:
        sigreg = SIGReg(config.model_copy(update={"tile_elements": tile}))
        run_sigreg(sigreg, z_TND)
        synchronise(device.type == "cuda")
        start = time.perf_counter()
        for _ in range(repeats):
            run_sigreg(sigreg, z_TND)
        synchronise(device.type == "cuda")
        taken[f"{tile:,}"] = round(1e3 * (time.perf_counter() - start) / repeats, 2)
    return taken


def run_sigreg(sigreg: SIGReg, z_TND: Tensor) -> None:
    """Computes value and gradient once."""
    z_TND.grad = None
    sigreg(z_TND, step=0, seed=0).backward()


def run_process(rank: int, task: Task, folder: str) -> None:
    """Measures in one of the processes; the first writes what it found."""
    gpu = task.device == "cuda"
    device = torch.device("cuda", rank) if gpu else torch.device("cpu")
    if gpu:
        torch.cuda.set_device(device)
    else:
        torch.set_num_threads(1)
    if task.processes > 1:
        where = f"file://{folder}/rendezvous"
        dist.init_process_group("nccl" if gpu else "gloo", init_method=where, rank=rank, world_size=task.processes)
    figures: dict[str, Any] = {variant: measure_variant(task, variant, device) for variant in task.variants}
    figures["sigreg_milliseconds_by_tile"] = time_tiles(task.recipe, device, task.steps)
    if rank == 0:
        (Path(folder) / "figures.json").write_text(json.dumps(figures))
    if task.processes > 1:
        dist.destroy_process_group()


def measure(task: Task) -> dict[str, Any]:
    """Returns the figures of all variants, with what they were measured on."""
    gpu = task.device == "cuda"
    with tempfile.TemporaryDirectory() as folder:
        if task.processes > 1:
            spawn(run_process, (task, folder), nprocs=task.processes)
        else:
            run_process(0, task, folder)
        figures: dict[str, Any] = json.loads((Path(folder) / "figures.json").read_text())
    devices = [torch.cuda.get_device_name(number) for number in range(task.processes)] if gpu else ["cpu"]
    return {
        "devices": devices,
        "cuda": torch.version.cuda if gpu else None,
        "batch_size": task.recipe.train.batch_size,
        "image_size": task.recipe.model.image_size,
        "steps": task.steps,
        **figures,
    }


def main() -> None:
    """Measures and prints; `--save` keeps the figures with hardware and versions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--gpus", type=int, default=1, help="processes, one GPU each")
    parser.add_argument("--recipe", default="lewm")
    parser.add_argument("--image", type=int, help="side of a frame; the recipe's by default")
    parser.add_argument("--batch", type=int, help="clips of the global batch; the recipe's by default")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--tiny", action="store_true", help="recipe `smoke`, few steps, nothing compiled")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    found = torch.cuda.device_count()
    if options.device == "cuda" and found < options.gpus:
        parser.error(f"--gpus {options.gpus}: this machine has {found}; take fewer, or --device cpu --tiny")
    recipe = RECIPES.get("smoke" if options.tiny else options.recipe)
    recipe = recipe.for_world(options.image or recipe.model.image_size, ACTIONS)
    train = recipe.train.model_copy(update={"batch_size": options.batch or recipe.train.batch_size})
    variants = tuple(name for name in options.variants if not options.tiny or VARIANTS[name][1] == "off")
    task = Task(
        options.device,
        options.gpus,
        recipe.model_copy(update={"train": train}),
        variants,
        3 if options.tiny else options.steps,
    )
    figures = measure(task)
    if options.save:
        record(f"gpu_step_{options.recipe}_{options.gpus}_{figures['devices'][0].replace(' ', '_').lower()}", figures)
    else:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
