"""The preset `tiny` of every study, end to end: all cells, the verdicts that must stand, and the page."""

from pathlib import Path

import pytest

from infra.progress import Progress
from infra.storage import open_store
from jepa.studies import STUDIES
from pipelines.reports.page import ReportConfig, report
from pipelines.study import StudyConfig, study

HELD: dict[str, set[str]] = {
    "auxiliary": {
        *("theorem", "transition-only-collapses", "joint-separates"),
        *("random-separates-vectors", "random-keeps-nuisances"),
    },
    "generalization": {
        *("bridge", "constant", "optimum", "regret-many-steps", "regret-one-step", "regret-sharper"),
        *("trade-off-drift", "trade-off-regret", "trade-off-risk"),
    },
    "identifiability": {
        *("kernel-spectrum", "planning-is-rotation-invariant", "rotations-are-the-minimum", "spectral-identity"),
        *("recovery-at-every-dimension", "gaussian-latents-are-recovered", "whitening-peaks-at-the-gaussian"),
    },
    "objectives": {
        *("lewm-notices-a-teleport", "regularisers-prevent-collapse"),
        *("lewm-plans-better-than-prediction-only", "lewm-plans-better-than-reconstruction"),
    },
    "recipes": set(),  # two seeds decide nothing that is sure to stand
}
"""Claims that hold with a margin that no rounding takes away."""
REFUTED = {"generalization": {"regret-premise"}, "identifiability": {"bound-holds-for-other-latents"}}
"""Claims that, as printed, do not."""


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", list(STUDIES))
def test_its_verdicts_stand(name: str, tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    studied = study(StudyConfig(study=name, executor="local", workers=2), store)
    verdicts = {claim.name: finding.verdict for claim, finding in studied.findings}
    assert len(studied.units) == len(studied.plan.study.cells("tiny"))
    assert {claim for claim in HELD[name] if verdicts[claim] != "held"} == set(), verdicts
    assert {claim for claim in REFUTED.get(name, ()) if verdicts[claim] != "did not hold"} == set(), verdicts
    page = store.read(report(ReportConfig(run=studied.run), store, Progress()).path).decode()
    assert page.count('<span class="verdict-') == len(verdicts) and '<svg class="chart"' in page
