"""The study of README: how the error of a sample mean falls with the sample."""

from jepa.core.seeds import numpy_generator
from jepa.evaluation.declarations import Chart, Section
from jepa.studies import STUDIES, Cell, CellResult, CellRows, Claim, Finding, Measure, Study, side_of


class SampleMeanCell(Cell):
    """A sample of one size."""

    size: int = 10
    """Numbers in the sample."""


def _shrinks(rows: CellRows) -> Finding:
    small, large = {"size": 10}, {"size": 1000}
    difference = rows.difference("error", small, large)
    words = "" if difference is None else f"error falls by {difference.value:.3f} from size 10 to 1000"
    return side_of(0.0, [difference], words)


PRESETS = {
    "tiny": [{"experiment": "size", "size": [10, 1000], "seed": range(5)}],
    "paper": [{"experiment": "size", "size": [10, 100, 1000, 10_000], "seed": range(30)}],
}


@STUDIES.register("sample_mean")
class SampleMean(Study):
    """The mean of normal numbers, against their expectation."""

    name = "sample_mean"
    summary = "how the error of a sample mean falls with the sample"
    Cell = SampleMeanCell
    presets = PRESETS
    claims = (Claim("error-falls", "law of large numbers", "A larger sample has a smaller error.", "σ/√n", _shrinks),)
    section = Section(
        "Error by sample size",
        (Chart("seed_lines", "study_sample_mean", {"metric": "error"}, options={"x": "size", "log_x": True}),),
    )

    def run(self, cell: SampleMeanCell) -> CellResult:
        sample = numpy_generator(cell.seed, "sample", cell.size).normal(size=cell.size)
        return CellResult([Measure("error", abs(float(sample.mean())), n=cell.size)])
