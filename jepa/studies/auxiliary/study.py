"""The study `auxiliary`: the theorem on tables, four ways to train in the counting world, and a world model."""

from typing import Any

import torch

from jepa.core.seeds import numpy_generator
from jepa.studies.auxiliary.bisimulation import classes, least_loss, partitions, random_process, separates
from jepa.studies.auxiliary.cell import AuxiliaryCell
from jepa.studies.auxiliary.claims import CLAIMS
from jepa.studies.auxiliary.measures import Latents, class_figures, nuisance_r2, principal_plane, rank_me
from jepa.studies.auxiliary.presets import PRESETS
from jepa.studies.auxiliary.samples import COUNTS, Labelled, Pictures, Samples, Vectors
from jepa.studies.auxiliary.section import DISTANCES, POINTS, SECTION
from jepa.studies.auxiliary.training import Fitted, Training
from jepa.studies.auxiliary.world_model import world_model_measures
from jepa.studies.study import STUDIES, CellResult, Measure, Study
from jepa.training.trainer import TrainConfig, collapse

PICTURED_SEED = 0
"""Of this seed's latents the pictures are made."""
PICTURED_EACH = 24
"""Dots of every count in a map."""


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
    section = SECTION

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
