"""What the theorems say exactly: gaps that must vanish up to rounding, and slacks that must not be negative."""

import numpy as np

from jepa.core.seeds import numpy_generator
from jepa.studies.identifiability.cell import IdentifiabilityCell
from jepa.studies.identifiability.closed_forms.control import random_control, random_rotation
from jepa.studies.identifiability.closed_forms.hermite import (
    HermiteMap,
    bound_terms,
    quadrature_loss,
    random_map,
    whitened,
)
from jepa.studies.identifiability.closed_forms.kernels import ou_singular_values, whitening_optimum
from jepa.studies.study import CellResult, Measure

MAPS, DEGREE = 40, 4
ALPHAS = (2.0, 4.0, 8.0, 32.0)
HORIZON = 5


def run(cell: IdentifiabilityCell) -> CellResult:
    """Returns the gaps and slacks over random maps and systems of the seed."""
    return CellResult([*spectral(cell), *bound(cell), *kernels(cell), *control(cell)])


def spectral(cell: IdentifiabilityCell) -> list[Measure]:
    """Returns the gap of the spectral identity, and how far white maps stay above the minimum 2(1-ρ)n."""
    rng, rho, size = numpy_generator(cell.seed, "maps"), cell.rho, 2
    minimum = 2 * (1 - rho) * size
    maps = [random_map(size, DEGREE, rng, share) for share in np.linspace(0.01, 0.9, MAPS)]
    gaps = [abs(h.loss(rho) - quadrature_loss(h, rho, DEGREE + 1)) for h in maps[:8]]
    rotation = HermiteMap(np.eye(size, dtype=np.int64), random_rotation(size, rng))
    above = [whitened(h).loss(rho) - minimum for h in maps]
    return [
        Measure("identity_gap", max(gaps), len(gaps)),
        Measure("rotation_gap", abs(quadrature_loss(rotation, rho, 3) - minimum)),
        Measure("least_above_minimum", min(above), len(above)),
    ]


def bound(cell: IdentifiabilityCell) -> list[Measure]:
    """Returns the least slack of Theorem 5.3 and of each of its steps over random maps."""
    rng = numpy_generator(cell.seed, "bound")
    terms = [bound_terms(random_map(2, DEGREE, rng, share), cell.rho) for share in np.geomspace(1e-4, 0.9, MAPS)]
    return [
        Measure("nonlinear_slack", min(one.nonlinear_slack for one in terms), MAPS),
        Measure("rotation_slack", min(one.rotation_slack for one in terms), MAPS),
        Measure("bound_slack", min(one.bound - one.error for one in terms), MAPS),
    ]


def kernels(cell: IdentifiabilityCell) -> list[Measure]:
    """Returns the gap of the kernel's singular values from 1, ρ, ρ², …, and the optimum of whitening by α."""
    found = ou_singular_values(0.8)
    optima = [
        Measure("whitening_optimum", whitening_optimum(alpha, cell.rho), quantity=f"alpha {alpha:g}", x=alpha)
        for alpha in ALPHAS
    ]
    return [Measure("kernel_gap", float(np.abs(found - 0.8 ** np.arange(len(found))).max())), *optima]


def control(cell: IdentifiabilityCell) -> list[Measure]:
    """Returns how far actions in rotated latents are from those in states: by the gain, and as planned."""
    rng, size = numpy_generator(cell.seed, "control"), 6
    system, rotation = random_control(size, 2, rng), random_rotation(size, rng)
    start, goal = rng.standard_normal(size), rng.standard_normal(size)
    turned = system.rotated(rotation)
    gain_gap = np.abs(system.gain() @ start - turned.gain() @ (rotation @ start)).max()
    plans = (
        system.plan(start, goal, HORIZON, cell.seed),
        turned.plan(rotation @ start, rotation @ goal, HORIZON, cell.seed),
    )
    return [
        Measure("gain_gap", float(gain_gap)),
        Measure("plan_gap", float(np.abs(plans[0] - plans[1]).max()), HORIZON),
    ]
