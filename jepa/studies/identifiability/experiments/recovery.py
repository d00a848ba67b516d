"""Latent worlds: an encoder is trained on mixed states, and its latents are compared with the states.

Shapes: N samples, D dimensions.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jepa.core.seeds import derive_seed, numpy_generator
from jepa.evaluation.kinds.identifiability.metrics import linear_r2
from jepa.studies.identifiability.cell import IdentifiabilityCell
from jepa.studies.identifiability.closed_forms.kernels import whitening_optimum
from jepa.studies.identifiability.encoders import make_encoder
from jepa.studies.identifiability.experiments.measures import (
    bound_measures,
    path_ratio,
    rate_measures,
    state_measures,
    to_numpy,
)
from jepa.studies.identifiability.mixings import Mixing, make_mixing
from jepa.studies.identifiability.training import make_loss, paired_loss, train
from jepa.studies.study import CellResult, Measure

PATHS, PATH_STEPS = 30, 15


def run(cell: IdentifiabilityCell) -> CellResult:
    """Returns the measures of one encoder; of several restarts, of the one with the lowest final loss."""
    mix = make_mixing(cell.mixing, cell.dim, cell.layers, cell.seed)
    loss, encoder = min(
        (train_encoder(cell, mix, restart) for restart in range(cell.restarts)), key=lambda trained: trained[0]
    )
    rng = numpy_generator(cell.seed, "evaluation")
    z_ND = cell.world.states(cell.samples, rng)
    next_ND = cell.world.successors(z_ND, rng)
    with torch.inference_mode():
        x_ND = mix(torch.from_numpy(z_ND))
        h_ND, h_next_ND = (to_numpy(encoder(x)) for x in (x_ND, mix(torch.from_numpy(next_ND))))
    z, x = z_ND.astype(np.float64), to_numpy(x_ND)
    measures = [Measure("training_loss", loss), Measure("r2_input", linear_r2(x, z), cell.samples)]
    measures += state_measures(z, h_ND)
    tables: dict[str, list[dict[str, Any]]] = {}
    if cell.rho_fast is not None:
        measures += rate_measures(z, h_ND)
    else:
        bounds = bound_measures(z, h_ND, h_next_ND, cell.rho)
        measures += bounds
        tables = tables_of(cell, {one.metric: one.value for one in (*measures, *bounds)})
    if cell.dim == 2:
        measures += path_measures(cell.seed, z, {"path_ratio": h_ND, "path_ratio_input": x, "path_ratio_state": z})
    if cell.objective == "whiten" and cell.pair_mode == "anchor" and cell.alpha >= 2:
        predicted = whitening_optimum(cell.alpha, cell.rho)
        measures += [Measure("r2_predicted", predicted)]
        measures += [Measure("r2_off_prediction", abs(linear_r2(h_ND, z) - predicted), cell.samples)]
    return CellResult(measures, tables)


def train_encoder(cell: IdentifiabilityCell, mix: Mixing, restart: int) -> tuple[float, nn.Module]:
    """Returns the final loss of one training, and its encoder."""
    seed = derive_seed(cell.seed, "restart", restart)
    encoder = make_encoder(cell.encoder, cell.dim, seed, cell.width, cell.hidden, cell.layers)

    def draw(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        one, other = cell.world.pairs(n, rng)
        return mix(torch.from_numpy(one)), mix(torch.from_numpy(other))

    loss = make_loss(cell.objective, cell.weight, cell.directions, seed)
    return train(encoder, paired_loss(encoder, draw, loss, cell.batch, seed), cell.schedule), encoder


def path_measures(seed: int, z_ND: np.ndarray[Any, Any], spaces: dict[str, Any]) -> list[Measure]:
    """Returns how straight the ways are that straight lines of each space take through the states."""
    return [
        Measure(name, path_ratio(z_ND, space_ND, PATHS, PATH_STEPS, numpy_generator(seed, "paths")), PATHS)
        for name, space_ND in spaces.items()
    ]


def tables_of(cell: IdentifiabilityCell, values: dict[str, float]) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of the further tables: the bound beside the error, and the map over λ and ρ."""
    tables: dict[str, list[dict[str, Any]]] = {
        "study_identifiability_bounds": [
            {"latents": f"alpha {cell.alpha:g}", "objective": cell.objective, "seed": cell.seed}
            | {"bound": values["bound"], "error": values["error"]}
        ]
    }
    if cell.experiment == "grid":
        row = {"weight": cell.weight, "rho": cell.rho, "seed": cell.seed, "r2": values["r2"]}
        tables["study_identifiability_grid"] = [row]
    return tables
