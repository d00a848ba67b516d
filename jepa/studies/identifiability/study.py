"""The study `identifiability`: when an encoder that aligns views finds the state of the world, and what follows."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from jepa.evaluation.declarations import Column, Table
from jepa.studies.grid import Block
from jepa.studies.identifiability.cell import Experiment, IdentifiabilityCell
from jepa.studies.identifiability.claims import CLAIMS
from jepa.studies.identifiability.experiments import actions, closed_forms, pixels, recovery
from jepa.studies.identifiability.presets import PAPER, TINY
from jepa.studies.identifiability.section import SECTION
from jepa.studies.study import STUDIES, CellResult, Study

EXPERIMENTS: Mapping[Experiment, Callable[[IdentifiabilityCell], CellResult]] = {
    "closed_forms": closed_forms.run,
    "scaling": recovery.run,
    "latents": recovery.run,
    "grid": recovery.run,
    "rates": recovery.run,
    "actions": actions.run,
    "pixels": pixels.run_pixels,
    "reacher": pixels.run_reacher,
}


@STUDIES.register("identifiability")
class Identifiability(Study):
    """Worlds whose state is known, hidden behind a mixing or in pictures, and encoders that are to find it."""

    name = "identifiability"
    summary = "when alignment finds the world's own state: Gaussian latents, other ones, actions, pixels"
    paper = "When Does LeJEPA Learn a World Model? (arXiv:2605.26379)"
    Cell = IdentifiabilityCell
    presets: ClassVar[Mapping[str, Sequence[Block]]] = {"tiny": TINY, "paper": PAPER}
    claims = CLAIMS
    section = SECTION
    tables = (
        Table(
            "study_identifiability_bounds",
            (
                Column("latents", "string", "distribution of the state, e.g. alpha 2"),
                Column("objective", "string", "what the encoder was trained with"),
                Column("seed", "int", "of the cell"),
                Column("bound", "float", "D + (ε + D)², Theorem 5.3"),
                Column("error", "float", "E‖h - Qz‖² of the closest rotation, both centred"),
            ),
        ),
        Table(
            "study_identifiability_grid",
            (
                Column("weight", "float", "λ, the share of SIGReg"),
                Column("rho", "float", "correlation of a state and its successor"),
                Column("seed", "int", "of the cell"),
                Column("r2", "float", "R² of the state from the latents"),
            ),
        ),
    )

    def run(self, cell: IdentifiabilityCell) -> CellResult:
        """Returns the measures of one cell."""
        return EXPERIMENTS[cell.experiment](cell)

    def cost(self, cell: IdentifiabilityCell) -> float:
        """Returns about how many multiplications a cell takes."""
        if cell.experiment == "closed_forms":
            return 1e9
        passes = 2.0 * cell.steps * cell.restarts * cell.batch
        if cell.experiment in ("pixels", "reacher"):
            return passes * cell.image_size**2 * cell.width * 4
        hidden = cell.hidden * cell.width**2 if cell.encoder == "mlp" else cell.layers * (cell.dim / 2) ** 2
        return passes * (hidden + 16 * cell.directions + 1e4)
