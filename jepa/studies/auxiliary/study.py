"""The study `auxiliary`: the theorem on tables, and four ways to train in the counting world."""

from typing import Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from jepa.core.seeds import numpy_generator
from jepa.evaluation.declarations import Chart, Column, Section, Table
from jepa.studies.auxiliary.bisimulation import classes, least_loss, partitions, random_process, separates
from jepa.studies.auxiliary.claims import CLAIMS
from jepa.studies.auxiliary.measures import Latents, class_figures, nuisance_r2, principal_plane, rank_me
from jepa.studies.auxiliary.samples import COUNTS, Labelled, Pictures, Samples, Vectors
from jepa.studies.auxiliary.training import Fitted, Training
from jepa.studies.auxiliary.world_model import world_model_measures
from jepa.studies.study import STUDIES, Cell, CellResult, Measure, Study
from jepa.training.trainer import TrainConfig, collapse

PICTURED_SEED = 0
"""Of this seed's latents the pictures are made."""
PICTURED_EACH = 24
"""Dots of every count in a map."""


class AuxiliaryCell(Cell):
    """One training in the counting world, or random tables for the theorem."""

    experiment: Literal["arms", "theorem", "world_model"] = "arms"
    """`arms` trains in the counting world; `theorem` goes through all tables of random small processes; `world_model`
    trains LeWM on Two-Room with a distractor."""
    arm: Literal["joint", "random", "reward", "transition"] = "joint"
    """What is minimised: both losses, with a random projection in the place of the reward, or one loss alone."""
    observation: Literal["pixels", "vector"] = "vector"
    """What is seen of the counting world."""
    transition: Literal["linear", "mlp"] = "linear"
    """Transition and head: linear maps, or one hidden layer each."""
    aux_weight: PositiveFloat = 10.0
    """Weight of the auxiliary loss."""
    latent_size: int = Field(16, gt=1, le=4096)
    """Dimensions of a latent."""
    steps: PositiveInt = 1000
    """Optimiser steps."""
    batch: PositiveInt = 128
    """Transitions in a step."""
    learning_rate: PositiveFloat = 3e-3
    """Peak rate of AdamW."""
    weight_decay: NonNegativeFloat = 0.3
    """AdamW's weight decay on transition and head: small weights there ask for distances in the latents."""
    each: PositiveInt = 100
    """Held-out draws of each count, once for the centroids and once for judging them."""
    processes: PositiveInt = 60
    """Random processes of the theorem's cell."""
    head: bool = False
    """Whether the world model has the auxiliary head."""
    states: int = Field(5, gt=1, le=8)
    """States of a random process."""


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

WORLD_MODEL_FIGURES = {
    "probe_r2": "R² of a linear probe",
    "regret": "planning regret",
    "goals_reached": "goals reached",
}
PICTURED = (
    Column("arm", "string", "what was minimised"),
    Column("observation", "string", "what was seen"),
    Column("transition", "string", "kind of transition and head"),
)
POINTS = Table(
    "study_auxiliary_points",
    (
        *PICTURED,
        Column("count", "int", "objects that the observation shows"),
        Column("x", "float", "first principal component, in units of the spread"),
        Column("y", "float", "second principal component"),
    ),
)
DISTANCES = Table(
    "study_auxiliary_distances",
    (
        *PICTURED,
        Column("count", "int", "objects"),
        Column("other_count", "int", "objects of the other centroid"),
        Column("distance", "float", "distance of the two centroids over the largest of any two"),
    ),
)


@STUDIES.register("auxiliary")
class Auxiliary(Study):
    """What a joint-embedding model tells apart because of its auxiliary task."""

    name = "auxiliary"
    summary = "which auxiliary task keeps which states apart, in the counting world"
    paper = "Why and How Auxiliary Tasks Improve JEPA Representations"
    Cell = AuxiliaryCell
    presets = PRESETS
    claims = CLAIMS
    tables = (POINTS, DISTANCES)
    section = Section(
        "Auxiliary tasks",
        (
            Chart(
                "scatter",
                POINTS.name,
                {"observation": "pixels", "transition": "linear"},
                heading="Latents of held-out frames",
                reading="First two principal components, coloured by count: equal counts should lie together.",
                options={"x": "x", "y": "y", "panel": "arm", "colour": "count"},
            ),
            Chart(
                "heat_map",
                DISTANCES.name,
                {"observation": "pixels", "transition": "linear"},
                heading="Distances of the counts' centroids",
                reading="Off the diagonal, a dark field is two counts that the latents hardly tell apart.",
                options={"x": "count", "y": "other_count", "value": "distance", "series": "arm"},
            ),
            *(
                Chart(
                    "seed_bars",
                    "study_auxiliary",
                    {"experiment": "world_model", "metric": metric},
                    heading=f"LeWM on Two-Room with a distractor, {words}",
                    reading="With the auxiliary head and without; mean over seeds, with Student's 95 % interval.",
                    options={"label": "head", "title": words, "panel": "quantity"},
                )
                for metric, words in WORLD_MODEL_FIGURES.items()
            ),
        ),
    )

    def run(self, cell: AuxiliaryCell) -> CellResult:
        """Trains one arm and measures its latents, or counts the tables without loss."""
        if cell.experiment == "theorem":
            return CellResult(_tables(cell))
        if cell.experiment == "world_model":
            return CellResult(world_model_measures(cell.head, cell.aux_weight, cell.steps, cell.seed))
        return _trained(cell)

    def cost(self, cell: AuxiliaryCell) -> float:
        """Returns about how many frames are seen: pictures cost ten times as much as vectors."""
        if cell.experiment == "theorem":
            return 1e3
        if cell.experiment == "world_model":
            return 1e6
        return float(cell.steps * cell.batch * (10 if cell.observation == "pixels" else 1))


def _tables(cell: AuxiliaryCell) -> list[Measure]:
    """Returns how many of all codes of random processes have no loss, and how many of those separate the classes."""
    rng = numpy_generator(cell.seed, "processes", cell.states)
    lossless = separating = 0
    for _ in range(cell.processes):
        process = random_process(rng, cell.states, 2, 2)
        class_S = classes(process)
        found = [codes for codes in partitions(cell.states) if sum(least_loss(process, codes)) == 0]
        lossless += len(found)
        separating += sum(separates(codes, class_S) for codes in found)
    return [
        Measure("lossless", lossless, n=cell.processes),
        Measure("separating_share", separating / max(1, lossless), n=lossless),
    ]


def _trained(cell: AuxiliaryCell) -> CellResult:
    pixels = cell.observation == "pixels"
    samples: Samples = Pictures(cell.seed) if pixels else Vectors(cell.seed)
    training = Training(
        arm=cell.arm,
        transition=cell.transition,
        aux_weight=cell.aux_weight,
        latent_size=cell.latent_size,
        steps=cell.steps,
        batch=cell.batch,
        learning_rate=cell.learning_rate,
        weight_decay=cell.weight_decay,
    )
    draws, test = samples.labelled(cell.each, "centroids"), samples.labelled(cell.each, "held-out")
    run = Fitted(training, samples, pixels)
    before = _latents(run, draws).spread
    run.fit()
    fitted, held_out = _latents(run, draws), _latents(run, test)
    std = float(fitted.z_MD.std(0, correction=0).mean())
    figures = class_figures(fitted, held_out) | {
        "nuisance_r2": nuisance_r2(fitted, held_out),
        "rank_me": rank_me(fitted.z_MD),
        "spread_over_initial": fitted.spread / before,
        "latent_std": std,
        "alarm": float(bool(collapse(std, TrainConfig().collapse_std))),
        "transition_loss": run.transition_loss,
        "auxiliary_loss": run.auxiliary_loss,
    }
    measures = [Measure(name, value, n=COUNTS * cell.each) for name, value in figures.items()]
    return CellResult(measures, _pictures(cell, held_out) if cell.seed == PICTURED_SEED else {})


def _latents(run: Fitted, draws: Labelled) -> Latents:
    return Latents(run.encode(draws.observation_M), draws.count_M, draws.nuisance_Md)


def _pictures(cell: AuxiliaryCell, latents: Latents) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of a map of the latents and of the distances between centroids."""
    facts = {"arm": cell.arm, "observation": cell.observation, "transition": cell.transition}
    plane_M2, each = principal_plane(latents.z_MD), cell.each
    shown = [count * each + n for count in range(COUNTS) for n in range(min(each, PICTURED_EACH))]
    points = [
        {**facts, "count": int(latents.count_M[m]), "x": float(plane_M2[m, 0]), "y": float(plane_M2[m, 1])}
        for m in shown
    ]
    distance_CC = latents.distance_CC / latents.distance_CC.max().clamp_min(torch.finfo(torch.float64).tiny)
    distances = [
        {**facts, "count": one, "other_count": other, "distance": float(distance_CC[one, other])}
        for one in range(COUNTS)
        for other in range(COUNTS)
    ]
    return {POINTS.name: points, DISTANCES.name: distances}
