"""What open-loop training and a head trained jointly do for planning in Two-Room, beside the same training without.

`python -m tests.bench.training.bench_open_loop --store DIR` trains each variant below with the recipe `lewm-tiny` on a
dataset of the store, once a seed, and judges it on the held-out `test` split: errors of predictions 1 to 5 action
blocks ahead without a look, in units of the latents' variance; linear R² of the agent's place; success 25 steps ahead
by the planner `icem`, and by the head `inverse`, as it was trained with the model and as `jepa fit-heads` fits it
afterwards. What is done stays in the store, and each model's figures in a file of `--results`; the same command goes
on.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import t as student

from infra.storage import Store, open_store
from jepa.core.clips import whole_clip
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.evaluation.kinds.probing.probes import ProbeConfig, fit_linear
from jepa.evaluation.latents import encode_split
from jepa.evaluation.statistics import wilson
from jepa.models.world_model import WorldModel
from jepa.planning import PlanningSetting, Problem, execute, make_planner
from jepa.worlds import make_world
from pipelines.heads import FitHeadsConfig, fit_heads
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store import Dataset, open_dataset, resolve_dataset
from pipelines.store.models import load_model
from pipelines.store.models.heads.handle import heads_of, read_head
from pipelines.store.models.heads.manifest import HeadManifest

BLOCKS = 5
PLACE = "agent_position"
GOALS = ("uniform", "cross_room")
AHEAD, BUDGET = 25, 50


class Variant(NamedTuple):
    """A training, and the one that it is compared with."""

    objective: Mapping[str, Any]
    horizon: int
    beside: str | None
    fits: bool = False
    """whether the head is fitted afterwards, too"""


VARIANTS = {
    "plain": Variant({}, 3, None, fits=True),
    "joint": Variant({"joint_head": "inverse"}, 3, "plain", fits=True),
    "open-loop-3": Variant({"open_loop_horizons": 3}, 3, "plain"),
    "plain-long": Variant({}, 9, "plain"),
    "open-loop-long": Variant({"open_loop_horizons": 5}, 9, "plain-long"),
    "joint-long": Variant({"joint_head": "inverse"}, 9, "plain-long", fits=True),
}
"""`long` clips have 10 frames, 45 steps, where the recipe's have 4."""


def main() -> None:
    """Trains and judges what is missing, then prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True, help="folder or address of a store with a dataset of Two-Room")
    parser.add_argument("--dataset", default="two_room-demo-s0")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--results", type=Path, default=Path("open-loop"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.results.mkdir(exist_ok=True)
    store = open_store(arguments.store)
    dataset = open_dataset(store, resolve_dataset(store, arguments.dataset))
    problems = {goal: draw_problems(dataset, "test", goal, arguments.problems, AHEAD, seed=0) for goal in GOALS}
    for seed in range(arguments.seeds):
        for label in arguments.variants:
            path = arguments.results / f"{label}-{arguments.steps}-s{seed}.json"
            if not path.exists():
                model = train(store, dataset, label, arguments.steps, seed)
                path.write_text(json.dumps(judge(store, dataset, model, VARIANTS[label], problems, seed)))
                print(f"{path}: {path.read_text()[:400]}", flush=True)
    report(arguments.results, arguments.variants, arguments.steps, arguments.seeds)


def train(store: Store, dataset: Dataset, label: str, steps: int, seed: int) -> str:
    """Returns the name of a model that is trained, or was."""
    variant, name = VARIANTS[label], f"{label}-{steps}-s{seed}"
    config = PretrainConfig(
        dataset=str(dataset.manifest.reference),
        name=name,
        recipe="lewm-tiny",
        objective_options=dict(variant.objective),
        train_options={"horizon": variant.horizon},
        steps=steps,
        seed=seed,
        executor="local",
        workers=1,
        trackers=(),
    )
    pretrain(config, store)
    return name


def judge(
    store: Store,
    dataset: Dataset,
    name: str,
    variant: Variant,
    problems: Mapping[str, Sequence[Problem]],
    seed: int,
) -> dict[str, Any]:
    """Returns a model's figures; successes are lists with an entry for each problem."""
    model = load_model(store, name)
    figures: dict[str, Any] = {"errors": open_loop(model, dataset), "r2": linear_r2(model, dataset)}
    for goal, drawn in problems.items():
        figures[f"icem {goal}"] = successes("icem", PlanningSetting(model, "two_room", {}), drawn, 25)
    if variant.fits:
        options = {"inverse": {"steps": 1500, "batch_size": 512}}
        asked = FitHeadsConfig(model=name, heads=("inverse",), options=options, seed=seed, executor="local", workers=1)
        fit_heads(asked, store)
    for head in heads_of(store, name):
        setting = PlanningSetting(model, "two_room", {}, heads={"inverse": read_head(store, *_place(head))})
        how = "fitted" if head.request.jointly is None else "joint"
        for goal, drawn in problems.items():
            figures[f"inverse {how} {goal}"] = successes("inverse", setting, drawn, 5)
    return figures


def _place(head: HeadManifest) -> tuple[Any, Any]:
    return head.request.model, head.reference


@torch.inference_mode()
def open_loop(model: WorldModel, dataset: Dataset) -> list[float]:
    """Returns the mean square error 1 to 5 action blocks after every fifth frame, over the latents' variance."""
    squares, latents = [], []
    for episode in dataset.episodes("test"):
        clip = whole_clip(episode, model.config.frameskip)
        z_1TD, action_1TKA = model.encode(clip.pixels_BTHWC), clip.action_BTKA
        latents.append(z_1TD[0])
        starts = range(0, action_1TKA.shape[1] - BLOCKS + 1)
        z_BHD = torch.cat([z_1TD[:, start + 1 : start + 1 + BLOCKS] for start in starts])
        action_BHKA = torch.cat([action_1TKA[:, start : start + BLOCKS] for start in starts])
        first_B1D = torch.cat([z_1TD[:, start : start + 1] for start in starts])
        squares.append((model.rollout(first_B1D, action_BHKA) - z_BHD).square().mean(2))
    variance = torch.cat(latents).var(0).mean()
    return [float(error) for error in torch.cat(squares).mean(0) / variance]


def linear_r2(model: WorldModel, dataset: Dataset) -> float:
    """Returns R² of the agent's place on test frames, mean over its coordinates."""
    train_frames, test_frames = (encode_split(model, dataset, split, 4000, 0) for split in ("train", "test"))
    probe = fit_linear(train_frames.z_ND, train_frames.state[PLACE], ProbeConfig())
    place_Nd = test_frames.state[PLACE]
    missed_d = ((probe.predict(test_frames.z_ND) - place_Nd) ** 2).mean(0)
    return float((1 - missed_d / place_Nd.var(0)).mean())


def successes(planner: str, setting: PlanningSetting, problems: Sequence[Problem], every: int) -> list[int]:
    """Returns whether each problem is solved, looking every so many steps."""
    with closing(make_planner(planner, {}, setting)) as made, closing(make_world("two_room", len(problems))) as world:
        runs = execute(made, world, list(problems), BUDGET, every, setting.model.config.frameskip)
    return [int(run.success) for run in runs]


def report(folder: Path, labels: Sequence[str], steps: int, seeds: int) -> None:
    """Prints each variant's figures, and how they differ from those of the variant that it stands beside."""
    held = {
        label: [json.loads((folder / f"{label}-{steps}-s{seed}.json").read_text()) for seed in range(seeds)]
        for label in labels
    }
    for label, runs in held.items():
        errors_SH = np.array([run["errors"] for run in runs])
        print(f"\n{label} ({steps} steps, {seeds} seeds)")
        spread = (f"{error:.4f} ± {std:.4f}" for error, std in zip(*_spread(errors_SH), strict=True))
        print("  error, 1 to 5 blocks:", "  ".join(spread))
        print(f"  linear R²: {_text([run['r2'] for run in runs])}")
        for figure in [name for name in runs[0] if isinstance(runs[0][name], list) and name != "errors"]:
            solved_SP = np.array([run[figure] for run in runs])
            rate = wilson(int(solved_SP.sum()), solved_SP.size)
            by_seed = " ".join(f"{100 * share:.0f}" for share in solved_SP.mean(1))
            interval = f"[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
            print(f"  {figure:24} {100 * rate.value:5.1f} % {interval}  seeds {by_seed}")
        beside = VARIANTS[label].beside
        if beside in held:
            _differences(runs, held[beside], beside)


def _differences(runs: list[dict[str, Any]], others: list[dict[str, Any]], beside: str) -> None:
    ratio_SH = np.array([run["errors"] for run in runs]) / np.array([run["errors"] for run in others])
    print(f"  beside {beside}: error x", "  ".join(f"{ratio:.2f}" for ratio in np.exp(np.log(ratio_SH).mean(0))))
    for figure in [name for name in runs[0] if name.startswith(("icem", "inverse"))]:
        # A head that is trained jointly is set against the one that is fitted to the other model afterwards.
        other = figure.replace("joint", "fitted")
        if other not in others[0]:
            continue
        change_P = (np.array([run[figure] for run in runs]) - np.array([run[other] for run in others])).mean(0)
        half = float(student.ppf(0.975, len(change_P) - 1) * change_P.std(ddof=1) / len(change_P) ** 0.5)
        print(f"    {figure:24} {100 * change_P.mean():+.1f} ± {100 * half:.1f} points (over problems)")


def _spread(x_SH: np.ndarray[Any, Any]) -> tuple[list[float], list[float]]:
    return x_SH.mean(0).tolist(), (x_SH.std(0, ddof=1) if len(x_SH) > 1 else x_SH.std(0)).tolist()


def _text(values: Sequence[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    main()
