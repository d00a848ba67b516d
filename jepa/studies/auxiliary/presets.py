"""Grids of `auxiliary`: one that ends within minutes on two cores, and the paper's sizes."""

from typing import Any

ARMS = ["joint", "reward", "transition", "random"]
SEEDS = [0, 1, 2]
WORLD_MODEL: dict[str, Any] = {
    "experiment": "world_model",
    "head": [False, True],
    "aux_weight": 5.0,
    "seed": SEEDS,
    "steps": 500,
}
PRESETS: dict[str, list[dict[str, Any]]] = {
    "tiny": [
        {"observation": "pixels", "arm": "joint", "seed": SEEDS, "steps": 900, "batch": 96},
        {"observation": "pixels", "arm": ["reward", "random"], "seed": SEEDS, "steps": 500, "batch": 96},
        {"observation": "vector", "arm": "joint", "transition": ["linear", "mlp"], "seed": SEEDS},
        {"observation": "vector", "arm": "random", "seed": SEEDS},
        {"observation": "vector", "arm": "transition", "seed": SEEDS, "steps": 3000},
        WORLD_MODEL,
        {"experiment": "theorem", "seed": SEEDS},
    ],
    "paper": [
        {
            "experiment": "arms",
            "observation": ["vector", "pixels"],
            "transition": ["linear", "mlp"],
            "arm": ARMS,
            "seed": range(10),
            "latent_size": [16, 256],
            "steps": 20_000,
            "batch": 256,
            "learning_rate": 1e-3,
            "each": 500,
        },
        {
            "experiment": "arms",
            "observation": "pixels",
            "arm": "joint",
            "aux_weight": [1.0, 2.0, 5.0, 20.0],
            "seed": range(10),
            "steps": 20_000,
            "each": 500,
        },
        {"experiment": "theorem", "seed": range(10), "states": [3, 4, 5, 6, 7]},
        {**WORLD_MODEL, "aux_weight": [0.5, 5.0], "seed": range(10), "steps": 3000},
    ],
}
