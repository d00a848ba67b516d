"""Rows as an evaluation of a Two-Room model writes them, made up from a seed; scenes and paths are real ones."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from infra.storage import Store
from jepa.evaluation.statistics import wilson
from jepa.worlds import make_world
from jepa.worlds.world import World
from pipelines.store.reports import Context, UnitManifest, plan_run, write_tables

Row = dict[str, Any]

PLANNERS = {"random": 0.04, "cem": 0.9, "oracle": 0.97}
"""Success rate of each planner on the made-up problems."""


def context(run: str = "run-1", model: str = "m0", **changes: Any) -> Context:
    """Returns the context of a made-up unit."""
    facts = {
        "model_digest": "a" * 64,
        "dataset": "d0",
        "dataset_version": 1,
        "dataset_digest": "d" * 64,
        "world": "two_room",
        "protocol_digest": "e" * 64,
        "evaluation_version": 1,
        "code_version": "0.1.0+abc1234",
    }
    return Context(run=run, model=model, **{**facts, **changes})


def older_context(run: str = "run-1", model: str = "m0", **changes: Any) -> Context:
    """Returns the context of a made-up unit as code wrote it that kept no digests."""
    facts = {"dataset": "d0", "world": "two_room", "code_version": "0.1.0+old1234"}
    return Context(run=run, model=model, **{**facts, **changes})


def metric(evaluation: str, name: str, value: float, **columns: Any) -> Row:
    """Returns a row of the `metrics` table."""
    half = columns.pop("half", 0.02)
    low, high = columns.pop("ci_low", value - half), columns.pop("ci_high", value + half)
    common = {"evaluation": evaluation, "protocol": "two-room-v1", "split": "test", "seed": 0, "n": 50, "unit": "1"}
    return {**common, "metric": name, "value": value, "ci_low": low, "ci_high": high, **columns}


def planning_metrics(problems: int = 50, seed: int = 0, split: str = "test") -> list[Row]:
    """Returns success, regret and final distance of three planners on two kinds of goal."""
    rows = []
    for goal in ("uniform", "cross_room"):
        for planner, rate in PLANNERS.items():
            estimate = wilson(round(rate * problems), problems)
            where = {"goal": goal, "planner": planner, "seed": seed, "split": split, "n": problems}
            rows.append(
                metric("planning", "success_rate", estimate.value, ci_low=estimate.low, ci_high=estimate.high, **where)
            )
            distance = 0.03 + 0.4 * (1 - rate)
            rows.append(metric("planning", "final_distance", distance, unit="scene width", half=0.01, **where))
            if planner != "oracle":
                rows.append(
                    metric(
                        "planning",
                        "regret",
                        distance - 0.042,
                        quantity="final_distance",
                        unit="scene width",
                        half=0.01,
                        **where,
                    )
                )
    return rows


def probing_metrics(seed: int = 0) -> list[Row]:
    """Returns R², Pearson's r and the error of both probes, for each quantity and for all together."""
    fits = {"linear": 0.963, "mlp": 0.996}
    rows = []
    for probe, r2 in fits.items():
        for quantity, less in (("all", 0.0), ("agent_position", -0.002), ("door", 0.004)):
            where = {"probe": probe, "quantity": quantity, "seed": seed, "n": 5000, "half": 0.003}
            figures = {"r2": r2 - less, "pearson_r": (r2 - less) ** 0.5, "mse": 1 - r2 + less}
            rows += [metric("probing", name, value, **where) for name, value in figures.items()]
    return rows


def read_otherwise(seed: int = 0) -> list[Row]:
    """Returns R² of all quantities together as read from predictions, from three frames and from baselines."""
    read = [("prediction", 1, ahead, probe, 0.95 - 0.02 * ahead) for ahead in range(6) for probe in ("linear", "mlp")]
    read += [("encoder", 3, 0, "linear", 0.97), ("pixels_pca", 1, 0, "linear", 0.5)]
    read += [("untrained", 1, 0, "linear", 0.3), ("state", 1, 0, "linear", 1.0)]
    return [
        metric("probing", "r2", value, probe=probe, quantity="all", seed=seed, half=0.0 if value == 1 else 0.01)
        | {"latents": latents, "frames": frames, "blocks_ahead": ahead, "settings": "{}"}
        for latents, frames, ahead, probe, value in read
    ]


def surprise_metrics(seed: int = 0) -> list[Row]:
    """Returns the AUROC of both perturbations."""
    aurocs = {"teleport": 0.999, "recolour": 0.957}
    return [metric("surprise", "auroc", value, shift=shift, seed=seed, half=0.01) for shift, value in aurocs.items()]


def planning_episodes(count: int = 6, seed: int = 0) -> list[Row]:
    """Returns episodes of each planner with paths and frames of real Two-Room scenes."""
    rng = np.random.default_rng(seed)
    rows = []
    for problem in range(count):
        world = make_world("two_room", 1)
        world.begin([problem], [{"door": float(rng.uniform(0.25, 0.75))}])
        start = world.state()["agent_position"][0]
        start_frame = png(world)
        path = wander(world, rng, 24)
        goal, goal_frame = path[-1], png(world)
        for planner in PLANNERS:
            success = planner == "oracle" or (planner == "cem" and problem % 3 != 2)
            taken = (
                path
                if success
                else path[: 4 + 4 * (planner == "cem")] + rng.normal(0, 0.01, (4 + 4 * (planner == "cem"), 2))
            )
            row = {"split": "test", "protocol": "two-room-v1", "planner": planner, "seed": seed, "problem": problem}
            row |= {
                "goal": ("uniform", "cross_room")[problem % 2],
                "episode": 900 + problem,
                "start_row": 3,
                "success": success,
            }
            row |= {"final_distance": float(np.linalg.norm(taken[-1] - goal)), "oracle_final_distance": 0.01}
            row |= {
                "plan_seconds": 0.05,
                "unit": "scene width",
                "path": taken,
                "goal_point": goal,
                "start_frame": start_frame,
            }
            row |= {
                "planned_path": np.linspace(start, goal, 6),
                "frame_extent": [0.0, 1.0, 1.0, 0.0],
                "goal_frame": goal_frame,
            }
            rows.append(row)
    return rows


def wander(world: World, rng: np.random.Generator, steps: int) -> NDArray[np.float32]:
    """Returns the path (steps + 1, 2) of a walk with a heading that drifts."""
    heading, path = rng.uniform(0, 2 * np.pi), [world.state()["agent_position"][0]]
    for _ in range(steps):
        heading += rng.normal(0, 0.25)
        world.advance(np.array([[np.cos(heading), np.sin(heading)]], dtype=np.float32))
        path.append(world.state()["agent_position"][0])
    return np.array(path)


def png(world: World) -> bytes:
    """Returns the first copy's frame."""
    buffer = io.BytesIO()
    Image.fromarray(world.render_pixels()[0]).save(buffer, "png")
    return buffer.getvalue()


def surprise_steps(episodes: int = 12, seed: int = 0) -> list[Row]:
    """Returns surprise by step around an event at step 30, with controls; an example keeps its frames."""
    rng = np.random.default_rng(seed)
    world = make_world("two_room", 1)
    world.begin([0], [{"door": 0.5}])
    rows = []
    for shift, height in (("teleport", 1.6), ("recolour", 0.25)):
        for episode in range(episodes):
            for perturbed in (False, True):
                for step in range(5, 61, 5):
                    bump = height * (step == 30) + 0.2 * height * (step == 35)
                    value = (0.05 + bump * perturbed) * float(rng.lognormal(0, 0.4))
                    row = {
                        "split": "test",
                        "protocol": "two-room-v1",
                        "seed": seed,
                        "shift": shift,
                        "episode": 900 + episode,
                    }
                    row |= {"perturbed": perturbed, "step": step, "event_step": 30, "surprise": value}
                    rows.append(row | ({"frame": png(world)} if perturbed and not episode else {}))
    return rows


def surprise_doses(seed: int = 0) -> list[Row]:
    """Returns the share of events noticed by strength, strength 0 being the untouched episodes."""
    rows = []
    for shift, physical, noticed in (("teleport", True, (0.02, 0.1, 0.9, 1.0)), ("recolour", False, (0.02, 0.05, 0.3))):
        for step, share in enumerate(noticed):
            row: Row = {"split": "test", "protocol": "two-room-v1", "seed": seed, "shift": shift, "physical": physical}
            row |= {"principle": "continuity" if physical else "immutability", "score": "raw", "blocks_ahead": 1}
            row |= {"strength": float(step), "strength_unit": "steps' way", "alarm_frames": 1, "n": 50}
            row |= {"auroc": 0.5 + 0.5 * share, "detection_rate": share, "detection_low": 0.9 * share}
            rows.append(row | {"detection_high": min(1.0, 1.1 * share)})
    return rows


def predictions(frames: int = 300, seed: int = 0) -> list[Row]:
    """Returns true and predicted values of both probes."""
    rng = np.random.default_rng(seed)
    rows = []
    for probe, noise in (("linear", 0.05), ("mlp", 0.015)):
        for quantity, size in (("agent_position", 2), ("door", 1)):
            for frame in range(frames):
                for dimension in range(size):
                    target = float(rng.uniform(0.05, 0.95))
                    row = {
                        "split": "test",
                        "protocol": "two-room-v1",
                        "seed": seed,
                        "probe": probe,
                        "quantity": quantity,
                    }
                    row |= {
                        "dimension": dimension,
                        "unit": "scene width",
                        "episode": 900 + frame % 50,
                        "step": frame % 64,
                    }
                    rows.append(row | {"target": target, "predicted": target + float(rng.normal(0, noise))})
    return rows


def decoding_rows(blocks: int = 4) -> dict[str, list[Row]]:
    """Returns PSNR of drawn pictures by blocks ahead beside the floor's, and the pictures of two episodes."""
    world = make_world("two_room", 1)
    world.begin([0], [{"door": 0.5}])
    names = ["encoded", *(f"imagined_{k}" for k in range(1, blocks + 1))]
    metrics = [
        metric("decoding", "psnr", value, unit="dB", quantity=name, probe=probe)
        for k, name in enumerate(names)
        for probe, value in (("decoder", 29.0 - 0.5 * k), ("mean_frame", 22.0))
    ]
    where = {"split": "test", "protocol": "two-room-v1", "seed": 0}
    pictures = [
        {**where, "episode": episode, "source": source, "step": 5 * k, "frame": png(world)}
        for episode in (900, 901)
        for source in ("true", "encoded", "imagined")
        for k in range(blocks + 1)
    ]
    return {"metrics": metrics, "pictures": pictures}


def training_rows(steps: int = 1000, every: int = 10, seed: int = 0) -> list[Row]:
    """Returns logged figures of a training whose λ is annealed."""
    rng = np.random.default_rng(seed)
    rows = []
    for step in range(every, steps + 1, every):
        weight = 0.1 * 0.1 ** min(1.0, max(0.0, (step / steps - 0.2) / 0.3))
        prediction, sigreg = 0.9 * np.exp(-step / 200) + 0.02, 4 * np.exp(-step / 80) + 0.6
        figures = {"loss": prediction + weight * sigreg, "prediction": prediction, "sigreg": sigreg}
        figures |= {
            "lambda": weight,
            "effective_rank": 8 + 14 * (1 - np.exp(-step / 250)),
            "learning_rate": 1e-3 * (1 - step / steps),
        }
        for name, value in figures.items():
            rows.append({"seed": seed, "step": step, "metric": name, "value": float(value * (1 + rng.normal(0, 0.03)))})
    return rows


def write_run(store: Store, run: str = "run-1", model: str = "m0", **changes: Any) -> list[UnitManifest]:
    """Writes a whole run: training, and the three evaluations as units of their own."""
    facts = context(run, model, **{"dataset_version": None, "dataset_digest": None, **changes})
    units = {
        "training": {"training": training_rows()},
        "probing": {"metrics": probing_metrics(), "predictions": predictions()},
        "planning": {"metrics": planning_metrics(), "episodes": planning_episodes()},
        "surprise": {"metrics": surprise_metrics(), "steps": surprise_steps(), "doses": surprise_doses()},
    }
    return [write_tables(store, tables, f"{run}-{unit}", facts) for unit, tables in units.items()]


VARIANTS: dict[str, dict[str, Any]] = {
    "first": {},
    "other model": {"model": "m1"},
    "other weights": {"model_digest": "b" * 64},
    "other dataset": {"dataset": "d1"},
    "other version": {"dataset_version": 2, "dataset_digest": "f" * 64},
    "other protocol": {"protocol": "tiny-v1", "protocol_digest": "9" * 64},
    "other settings": {"protocol_digest": "8" * 64},
    "other evaluation": {"evaluation_version": 2},
    "other seed": {"seed": 1},
}
"""Units whose figures must not be pooled, by what sets each apart from the first."""
OLDER_RUNS = ("old-1", "old-2")
"""Runs of older code that hold the very same rows."""


def write_mixed(store: Store) -> None:
    """Writes the figures of each variant, with a value of its own, and those of two runs of older code.

    Two runs of today, `run-1` and `run-2`, list all variants.
    """
    keys = []
    for number, (name, changes) in enumerate(VARIANTS.items()):
        key = f"unit-{name.replace(' ', '-')}"
        context_changes = {field: value for field, value in changes.items() if field not in ("protocol", "seed")}
        write_tables(store, mixed_tables(number, changes), key, context(**context_changes))
        keys.append(key)
    for run in OLDER_RUNS:
        write_tables(store, mixed_tables(len(VARIANTS), {}), f"{run}-unit", older_context(run))
    for run in ("run-1", "run-2"):
        plan_run(store, run, keys, {})


def mixed_tables(number: int, changes: dict[str, Any]) -> dict[str, list[Row]]:
    """Returns four figures, whose values hold the number, and what the page draws of them."""
    labels = {field: value for field, value in changes.items() if field in ("protocol", "seed")}
    planned = {"goal": "uniform", "n": 4, "half": 0.01}
    metrics = [
        metric("planning", "success_rate", 0.01 * number, planner="cem", **planned),
        metric("planning", "success_rate", 0.5, planner="random", **planned),
        metric("probing", "r2", 0.01 * number, probe="linear", quantity="all"),
        metric("probing", "mse", 0.1, probe="linear", quantity="all"),
        metric("surprise", "auroc", 0.5 + 0.01 * number, shift="teleport"),
    ]
    tables = {"metrics": metrics, "predictions": predictions(10), "steps": surprise_steps(2)[:48]}
    return {table: [{**row, **labels} for row in rows] for table, rows in tables.items()}


def claim_rows() -> list[Row]:
    """Returns a claim that held, and one that is not decided."""
    common = {"study": "identifiability", "source": "Theorem 5.1", "sentence": "It is found.", "published": "R² .9995"}
    common |= {"found": "R² .9997", "cells_digest": "c" * 64, "preset": "tiny", "paper": "A paper"}
    decided = {"value": 0.9997, "ci_low": 0.9996, "ci_high": 0.9998, "n": 3}
    open_ = {"claim": "elsewhere", "verdict": "not decided", "preset": None, "n": 0}
    return [common | {"claim": "here", "verdict": "held"} | decided, common | open_]


def spectrum_rows() -> list[Row]:
    """Returns a correlation with its interval, and a bound without one."""
    common = {"split": "test", "protocol": "two-room-v1", "seed": 0, "rank": 1}
    ends = {"ci_low": 0.8, "ci_high": 1.0}
    return [
        common | {"figure": "correlation", "curve": "with action", "value": 0.9} | ends,
        common | {"figure": "regret", "curve": "bound", "value": 1.1},
    ]


def regret_rows() -> dict[str, list[Row]]:
    """Returns a problem with the parts of its regret, and two candidates of its menu."""
    common = {"split": "test", "protocol": "two-room-v1", "planner": "cem", "seed": 0, "goal": "uniform", "problem": 0}
    common |= {"unit": "scene width", "cost": "latent", "privileged": False}
    ranks = {f"rank_correlation_{part}": 0.9 for part in ("cost", "model", "both")}
    parts = {"regret": 0.3, "regret_cost": 0.0, "regret_model": 0.1, "regret_search": 0.2}
    costs = {"menu_best": 0.0, "real_best": 0.0, "imagined_best": 0.1, "plan": 0.3}
    problem = {**common, "episode": 4, "start_row": 2, **ranks, **parts, **costs}
    own = {"panel": "uniform 0", "true_cost": 0.3, "real_latent_cost": 3.0, "imagined_latent_cost": 2.0}
    candidates = [
        {**common, **own, "candidate": number, "origin": origin, "chosen": origin == "plan"}
        for number, origin in enumerate(("plan", "random"))
    ]
    return {"regret_problems": [problem], "regret_candidates": candidates}


def geometry_rows() -> list[Row]:
    """Returns a point of a curve with its interval, and one without."""
    common = {"split": "test", "protocol": "two-room-v1", "seed": 0, "pairs": "all", "unit": "scene width"}
    ends = {"ci_low": 0.9, "ci_high": 1.0}
    return [
        common | {"against": "true", "distance": 0.5, "latent_distance": 0.95} | ends,
        common | {"against": "geodesic", "distance": 0.6, "latent_distance": 1.1},
    ]
