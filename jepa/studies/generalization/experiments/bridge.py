"""The bridge to identifiability: the Ornstein-Uhlenbeck process has the same operator in both papers."""

import numpy as np

from jepa.core.seeds import numpy_generator
from jepa.studies.generalization.cell import GeneralizationCell
from jepa.studies.generalization.tabular.operators import operators
from jepa.studies.generalization.tabular.optimum import right_space, singular_values
from jepa.studies.generalization.tabular.whitening import alignment_risk, prediction_risk, whitened
from jepa.studies.generalization.tabular.worlds import ornstein_uhlenbeck
from jepa.studies.study import CellResult, Measure

POWERS = 6
TRIES = 20


def measure_bridge(cell: GeneralizationCell) -> CellResult:
    """Returns gaps between our figures and ρ^d, K - Σ σ_i² and 2 (1 - ρ), and what other encoders lose."""
    world = ornstein_uhlenbeck(cell.rho)
    operator_ANN = operators(world)
    sigma_N, law_N = singular_values(operator_ANN)[0], world.next_AN[0]
    f_NK = right_space(operator_ANN, cell.k) / np.sqrt(law_N)[:, None]
    least = cell.k - float(np.square(sigma_N[: cell.k]).sum())
    rng = numpy_generator(cell.seed, "encoders")
    others = [prediction_risk(world, whitened(rng.normal(size=f_NK.shape), law_N)) for _ in range(TRIES)]
    # The first singular function is constant; the second is z, the optimal latent of the paper on identifiability.
    latent_N1 = right_space(operator_ANN, 2)[:, 1:] / np.sqrt(law_N)[:, None]
    power = np.abs(sigma_N[:POWERS] - cell.rho ** np.arange(POWERS)).max()
    return CellResult(
        [
            *(Measure("singular_value", float(s), x=i) for i, s in enumerate(sigma_N[:POWERS])),
            Measure("bridge_gap", float(power), POWERS, quantity="singular values"),
            Measure("bridge_gap", abs(prediction_risk(world, f_NK) - least), quantity="whitened prediction"),
            Measure("bridge_gap", abs(alignment_risk(world, latent_N1) - 2 * (1 - cell.rho)), quantity="alignment"),
            Measure("whitened_excess", min(others) - least, TRIES),
        ]
    )
