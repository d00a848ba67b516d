"""The study `generalization`: when planning with a latent model can be trusted, by its spectral risk."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from jepa.studies.generalization.cell import Experiment, GeneralizationCell
from jepa.studies.generalization.claims import CLAIMS
from jepa.studies.generalization.experiments.bridge import measure_bridge
from jepa.studies.generalization.experiments.constant import measure_constant
from jepa.studies.generalization.experiments.point_mass import SUCCESS, measure_point_mass
from jepa.studies.generalization.experiments.regret import measure_horizon, measure_regret
from jepa.studies.generalization.experiments.spectral import measure_spectral
from jepa.studies.generalization.experiments.tradeoff import measure_tradeoff
from jepa.studies.generalization.presets import PRESETS
from jepa.studies.generalization.section import SECTION
from jepa.studies.study import STUDIES, CellResult, Study

EXPERIMENTS: Mapping[Experiment, Callable[[GeneralizationCell], CellResult]] = {
    "constant": measure_constant,
    "regret": measure_regret,
    "horizon": measure_horizon,
    "spectral": measure_spectral,
    "tradeoff": measure_tradeoff,
    "bridge": measure_bridge,
    "point_mass": measure_point_mass,
}


@STUDIES.register("generalization")
class Generalization(Study):
    """Spectral risk, planning regret and sample size in worlds where all three are exact."""

    name = "generalization"
    summary = "spectral risk, planning regret and its bounds, latent dimension against samples, latent against input"
    paper = "A Generalization Theory for JEPA-Based World Models"
    Cell: ClassVar[type[GeneralizationCell]] = GeneralizationCell
    presets = PRESETS
    claims = CLAIMS
    section = SECTION
    tables = (SUCCESS,)

    def run(self, cell: GeneralizationCell) -> CellResult:
        """Returns the measures of one cell."""
        return EXPERIMENTS[cell.experiment](cell)

    def cost(self, cell: GeneralizationCell) -> float:
        """Returns about how many seconds a cell takes."""
        return {"spectral": cell.steps / 500, "point_mass": 1 + cell.steps / 50, "horizon": 0.5, "regret": 0.1}.get(
            cell.experiment, 0.05
        )
