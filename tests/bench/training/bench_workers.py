"""Steps a second of two training processes of one thread each, against one of one thread, on the same global batch.

Run: `python -m tests.bench.training.bench_workers`; `--save` keeps the figures.
"""

import argparse
import statistics
import time
from typing import Any

import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.models.world_model import WorldModel
from jepa.objectives import make_objective
from jepa.training.recipes import RECIPES
from jepa.training.trainer import TrainConfig, Trainer
from tests.bench.record import record
from tests.jepa.training.gloo import run_in_processes

IMAGE, ACTIONS, WARM_UP = 64, 2, 3


def measure(rank: int, recipe_name: str, processes: int, steps: int) -> dict[str, Tensor]:
    """Returns the seconds of each step of this process, which holds its equal share of the recipe's batch."""
    torch.set_num_threads(1)
    recipe = RECIPES.get(recipe_name).for_world(IMAGE, ACTIONS)
    model = WorldModel.from_config(recipe.model)
    train = TrainConfig.model_validate(recipe.train.model_dump() | {"precision": "fp32"})
    trainer = Trainer(make_objective(recipe.objective, model, recipe.objective_options), train)
    count = train.batch_size // processes
    frames = recipe.model.history + train.horizon
    generator = torch.Generator().manual_seed(rank)
    pixels = torch.randint(0, 256, (count, frames, IMAGE, IMAGE, 3), generator=generator, dtype=torch.uint8)
    action = torch.randn(count, frames - 1, recipe.model.frameskip, ACTIONS, generator=generator)
    seconds = []
    for _ in range(WARM_UP + steps):
        start = time.perf_counter()
        trainer.step(Clips(pixels, action, {}))
        seconds.append(time.perf_counter() - start)
    return {"seconds": torch.tensor(seconds[WARM_UP:])}


def main() -> None:
    """Alternates one process and two, and prints the ratio of their median steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    figures: dict[str, Any] = {"steps": options.steps, "rounds": options.rounds}
    for recipe in ("lewm-tiny", "lewm-small"):
        taken: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(options.rounds):
            for processes, seconds in taken.items():
                result = run_in_processes(measure, processes, recipe, processes, options.steps)[0]
                seconds.append(statistics.median(result["seconds"].tolist()))
        one, two = min(taken[1]), min(taken[2])
        figures[recipe] = {
            "milliseconds_of_one": round(1e3 * one, 1),
            "milliseconds_of_two": round(1e3 * two, 1),
            "speed_of_two_to_one": round(one / two, 2),
        }
    if options.save:
        record("training_workers", figures)
    else:
        print(figures)


if __name__ == "__main__":
    main()
