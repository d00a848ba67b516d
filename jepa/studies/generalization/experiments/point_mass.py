"""Section 5 of the paper: planning on predicted latents against planning on the predicted input, under noise."""

from jepa.evaluation.declarations import Column, Table
from jepa.evaluation.statistics import wilson
from jepa.studies.generalization.cell import GeneralizationCell
from jepa.studies.generalization.point_mass.models import Target, train_point_mass
from jepa.studies.generalization.point_mass.planning import success, success_of_truth
from jepa.studies.generalization.point_mass.world import make_sensor
from jepa.studies.study import CellResult, Measure

REQUIRED = (1, 5, 10, 15, 20, 25)
PROBLEMS = 24
TARGETS: tuple[Target, ...] = ("latent", "input")
TRUTH = "input, true dynamics"

SUCCESS = Table(
    "study_generalization_success",
    (
        Column("target", "string", "what the model predicts: latent, input, or the input by the true dynamics"),
        Column("noise", "float", "standard deviation of the dimensions of pure noise"),
        Column("required", "int", "steps of full force from start to goal"),
        Column("cell_seed", "int", "seed of the cell"),
        Column("success", "float", "share of goals reached"),
    ),
)


def measure_point_mass(cell: GeneralizationCell) -> CellResult:
    """Returns the success of both targets and the latent's lead, over the steps that goals require.

    Both have the same data, first weights, batches, problems and budgets. A third curve has the true dynamics and the
    distance of inputs: what prediction of the input could reach at best.
    """
    sensor = make_sensor(cell.noise, cell.seed)
    reached: dict[str, list[int]] = {}
    for target in TARGETS:
        model = train_point_mass(target, sensor, cell.steps, cell.seed)
        reached[target] = [int(success(model, sensor, steps, PROBLEMS, cell.seed).sum()) for steps in REQUIRED]
    reached[TRUTH] = [int(success_of_truth(sensor, steps, PROBLEMS, cell.seed).sum()) for steps in REQUIRED]
    measures, rows = [], []
    for name, counts in reached.items():
        for required, count in zip(REQUIRED, counts, strict=True):
            rate = wilson(count, PROBLEMS)
            measures.append(Measure("success", rate.value, PROBLEMS, rate.low, rate.high, name, required))
            named = {"target": name, "noise": cell.noise, "required": required, "cell_seed": cell.seed}
            rows.append({**named, "success": rate.value})
    for required, latent, other in zip(REQUIRED, reached["latent"], reached["input"], strict=True):
        measures.append(Measure("lead", (latent - other) / PROBLEMS, PROBLEMS, x=required))
    return CellResult(measures, {SUCCESS.name: rows})
