"""The grids of the study `generalization`."""

from collections.abc import Mapping, Sequence

from jepa.studies.grid import Block

ALL_WORLDS = ["ring", "blocks", "skewed_blocks", "permutations", "maps"]
SHARED_NEXT = ["ring", "blocks", "permutations"]

TINY: Sequence[Block] = (
    {"experiment": "constant", "world": ALL_WORLDS, "seed": [0, 1, 2]},
    {"experiment": "constant", "world": "torus", "states": 25, "width": 0.7, "seed": [0, 1, 2]},
    {"experiment": "regret", "world": SHARED_NEXT, "samples": [0, 200], "seed": [0, 1, 2]},
    {"experiment": "regret", "world": "torus", "states": 25, "width": 0.7, "samples": [0, 200], "seed": [0, 1, 2]},
    {"experiment": "regret", "world": ["skewed_blocks", "maps"], "seed": [0, 1, 2]},
    {
        "experiment": "horizon",
        "world": ["permutations", "ring"],
        "states": 12,
        "k": 12,
        "horizon": 4,
        "samples": [15, 30, 120],
        "seed": range(5),
    },
    {"experiment": "horizon", "world": ["permutations", "ring"], "states": 12, "k": 5, "horizon": 4, "seed": range(5)},
    {"experiment": "spectral", "k": [3, 5, 9], "steps": 1000, "seed": [0, 1, 2]},
    {"experiment": "tradeoff", "samples": [50, 200, 1000, 5000], "seed": range(20)},
    {"experiment": "bridge", "rho": [0.5, 0.8, 0.95]},
    {"experiment": "point_mass", "noise": [0.0, 0.3, 1.0], "steps": 600, "seed": [0, 1, 2]},
)

PAPER: Sequence[Block] = (
    {"experiment": "constant", "world": ALL_WORLDS, "states": [24, 96], "k": [3, 9], "seed": range(10)},
    {"experiment": "constant", "world": "torus", "states": [25, 100], "width": 0.7, "k": [3, 9], "seed": range(10)},
    {"experiment": "regret", "world": SHARED_NEXT, "states": [24, 96], "samples": [0, 200, 5000], "seed": range(10)},
    {
        "experiment": "regret",
        "world": "torus",
        "states": [25, 100],
        "width": 0.7,
        "samples": [0, 200, 5000],
        "seed": range(10),
    },
    {"experiment": "regret", "world": ["skewed_blocks", "maps"], "states": [24, 96], "seed": range(10)},
    {
        "experiment": "horizon",
        "world": ["permutations", "ring"],
        "k": [5, 12, 24],
        "horizon": 6,
        "samples": [0, 30, 60, 240, 1000],
        "seed": range(20),
    },
    {"experiment": "spectral", "k": [3, 5, 7, 9, 13], "steps": 5000, "seed": range(10)},
    {"experiment": "tradeoff", "samples": [50, 100, 200, 500, 1000, 2000, 5000, 20000], "seed": range(100)},
    {"experiment": "tradeoff", "world": "blocks", "samples": [50, 200, 1000, 5000], "seed": range(100)},
    {"experiment": "bridge", "rho": [0.3, 0.5, 0.8, 0.9, 0.95], "k": [3, 5, 8], "seed": range(3)},
    {"experiment": "point_mass", "noise": [0.0, 0.1, 0.3, 0.5, 1.0, 2.0], "steps": 5000, "seed": range(10)},
)

PRESETS: Mapping[str, Sequence[Block]] = {"tiny": TINY, "paper": PAPER}
