"""The sweep that finds a world's recipe: chosen on validation episodes by goals reached and probes, judged on test."""

import logging

from jepa.evaluation.declarations import Section
from jepa.studies.bars import seed_bars
from jepa.studies.in_memory import MemoryEpisodes, collected, steps_within, train
from jepa.studies.recipes.cell import RecipesCell
from jepa.studies.recipes.claims import CLAIMS
from jepa.studies.recipes.judging import failed, measures
from jepa.studies.recipes.of_worlds import quantity_scale
from jepa.studies.recipes.presets import PRESETS
from jepa.studies.recipes.sizes import SIZES
from jepa.studies.study import STUDIES, CellResult, Measure, Study
from jepa.training.recipes import Recipe
from jepa.training.trainer import TrainingFailure

log = logging.getLogger(__name__)

SHOWN = {
    "validation_score": ("Score on validation episodes", "score", ""),
    "validation_goals_reached": ("Goals reached, validation episodes", "goals reached", "quantity"),
    "validation_linear_r2": ("Read by a linear probe, validation episodes", "R²", "quantity"),
    "validation_mlp_r2": ("Read by an MLP, validation episodes", "R²", "quantity"),
    "prediction_error": ("Error of the next latent, validation episodes", "mean square", ""),
    "steps": ("Steps within the budget", "steps", ""),
    "training_seconds": ("What a training costs", "seconds of one core", ""),
}
READ_SCORE = (
    "Half the goals reached by the best planner, half the linear R² of the world's quantities. Mean over seeds, with "
    "Student's 95 % interval; differences from the reference, paired by seed, stand with the claims. A recipe with "
    "`regressed` is privileged and never chosen."
)


@STUDIES.register("recipes")
class RecipesStudy(Study):
    """A cell trains one recipe and judges its model on validation and on test episodes."""

    name = "recipes"
    summary = "the sweep that finds a world's recipe, chosen on validation episodes and judged on test"
    Cell = RecipesCell
    presets = PRESETS
    claims = CLAIMS
    section = Section("Recipes", seed_bars("study_recipes", "experiment", SHOWN, {"validation_score": READ_SCORE}))

    def run(self, cell: RecipesCell) -> CellResult:
        """Returns goals reached and what probes read on both splits, the prediction error, and what the training took.

        A training that goes wrong numerically is a recipe without a score.
        """
        source = collected(cell.collection())
        steps = round(cell.amount)
        scale = quantity_scale(source, cell.regressed) if cell.regressed else 1.0
        try:
            if cell.budget == "seconds":
                steps = steps_within(cell.amount, cell.recipe(1, scale), source)
            return CellResult(_measured(cell, cell.recipe(max(1, steps), scale), source))
        except TrainingFailure as error:
            log.warning("recipe %s of world %s, seed %d: %s", cell.experiment, cell.world, cell.seed, error)
            return CellResult(failed())

    def cost(self, cell: RecipesCell) -> float:
        """Returns the amount: what a cell takes besides is much the same for all."""
        return cell.amount


def _measured(cell: RecipesCell, recipe: Recipe, source: MemoryEpisodes) -> list[Measure]:
    trained = train(recipe, source)
    figures = [Measure(name, trained.figures[name]) for name in ("loss", "prediction", "sigreg")]
    cost = [Measure("steps", trained.steps), Measure("training_seconds", trained.seconds, unit="s")]
    return [*measures(trained.model, source, SIZES[cell.size], cell.seed), *figures, *cost]
