"""Models that were judged on the same problems, made up: each problem has a difficulty, each model a skill."""

from typing import Any

import numpy as np

from infra.storage import Store
from pipelines.store.reports import Context, UnitManifest, write_tables
from tests.pipelines.reports.synthetic import Row, context, metric

PROBLEMS = 60
COMMON: Row = {"split": "test", "protocol": "two-room-v1", "seed": 0}


def write_planning(
    store: Store, model: str, skill: float, streams: int = 1, keep: slice = slice(None), **changes: Any
) -> UnitManifest:
    """Writes what a model of some skill reached on problems of one kind of goal, and the oracle beside it."""
    labels = COMMON | {name: changes.pop(name) for name in ("protocol", "seed", "goal", "split") if name in changes}
    goal = {"goal": "uniform", "offset": 25} | labels
    facts = {"model_digest": model.encode().hex().ljust(64, "0")[:64], "problems_digest": "9" * 64} | changes
    rng = np.random.default_rng(abs(hash_of(model)))
    hard = np.random.default_rng(0).random(PROBLEMS)
    rows: list[Row] = []
    for stream in range(streams):
        luck = rng.normal(0, 0.15, PROBLEMS)
        for problem in range(PROBLEMS)[keep]:
            success = bool(skill + luck[problem] > hard[problem])
            far = 0.02 if success else 0.3 + 0.1 * hard[problem]
            own = {
                "problem": problem,
                "episode": 900 + problem,
                "start_row": 3,
                "stream": stream,
                "unit": "scene width",
            }
            own |= {"oracle_final_distance": 0.01}
            rows.append({**goal, **own, "planner": "cem", "success": success, "final_distance": far})
            rows.append({**goal, **own, "planner": "oracle", "success": True, "final_distance": 0.01})
    reached = [row["success"] for row in rows if row["planner"] == "cem"]
    rate = metric("planning", "success_rate", float(np.mean(reached)), planner="cem", **goal)
    tables = {"metrics": [rate], "episodes": rows}
    return write_tables(store, tables, key("planning", model, facts, labels), made(model, facts))


def write_surprise(store: Store, model: str, height: float, episodes: int = 40, **changes: Any) -> UnitManifest:
    """Writes the surprise of a model at a teleport at step 30, and of the control."""
    rng = np.random.default_rng(abs(hash_of(model)))
    noise = np.random.default_rng(1).normal(0, 1, (episodes, 2, 3)) + rng.normal(0, 0.3, (episodes, 2, 3))
    labels = COMMON | {"shift": "teleport"}
    rows = [
        {**labels, "episode": episode, "perturbed": bool(which), "step": step, "event_step": 30}
        | {"surprise": float(np.exp(noise[episode, which, place] + height * which * (step == 30)))}
        for episode in range(episodes)
        for which in range(2)
        for place, step in enumerate((25, 30, 35))
    ]
    facts = {"model_digest": model.encode().hex().ljust(64, "0")[:64]} | changes
    auroc = metric("surprise", "auroc", 0.9, shift="teleport")
    return write_tables(
        store, {"metrics": [auroc], "steps": rows}, key("surprise", model, facts, {}), made(model, facts)
    )


def write_probing(store: Store, model: str, noise: float, **changes: Any) -> UnitManifest:
    """Writes what a linear probe reads of a position, two dimensions at four frames of thirty episodes."""
    rng = np.random.default_rng(abs(hash_of(model)))
    truth = np.random.default_rng(2).uniform(0, 1, (30, 4, 2))
    read = truth + rng.normal(0, noise, truth.shape)
    labels = COMMON | {"probe": "linear", "quantity": "agent_position", "unit": "scene width"}
    rows = [
        {**labels, "episode": episode, "step": 5 * step, "dimension": dimension}
        | {"target": float(truth[episode, step, dimension]), "predicted": float(read[episode, step, dimension])}
        for episode, step, dimension in np.ndindex(truth.shape)
    ]
    facts = {"model_digest": model.encode().hex().ljust(64, "0")[:64]} | changes
    r2 = metric("probing", "r2", 0.9, probe="linear", quantity="all")
    return write_tables(
        store, {"metrics": [r2], "predictions": rows}, key("probing", model, facts, {}), made(model, facts)
    )


def write_latent(store: Store, model: str, rank: float, **changes: Any) -> UnitManifest:
    """Writes a figure of an evaluation without rows that pair."""
    facts = {"model_digest": model.encode().hex().ljust(64, "0")[:64]} | changes
    rows = [metric("latent", "effective_rank", rank, half=0.5, n=100)]
    return write_tables(store, {"metrics": rows}, key("latent", model, facts, {}), made(model, facts))


def made(model: str, facts: dict[str, Any]) -> Context:
    """Returns the context of a model's unit."""
    return context(run=f"run-{model}", model=model, **facts)


def key(kind: str, model: str, facts: dict[str, Any], labels: Row) -> str:
    """Returns a key that no other unit has."""
    return f"{kind}-{model}-{abs(hash_of(str(sorted((facts | labels).items())))):016x}"


def hash_of(text: str) -> int:
    """Returns a number for a text, the same in every process."""
    return int.from_bytes(text.encode()[-32:], "big") % 2**48 + len(text) + sum(text.encode()) * 7919
