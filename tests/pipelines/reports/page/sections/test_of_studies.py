"""The page of a study: verdicts with figures, charts of its table, and no complaint that no model was judged."""

from pathlib import Path

import pytest

from infra.progress import Progress
from infra.storage import open_store
from jepa.studies import Study
from pipelines.reports.page import ReportConfig, report
from pipelines.study import StudyConfig, study


@pytest.mark.usefixtures("sample_mean")
def test_it_shows_verdicts_and_charts(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    studied = study(StudyConfig(study="sample_mean", executor="local", cell={"seed": list(range(30))}), store)
    page = store.read(report(ReportConfig(run=studied.run), store, Progress()).path).decode()
    assert '<span class="verdict-held">held</span>' in page and "law of large numbers: σ/√n" in page
    assert "95 % interval" in page and "n 30" in page
    assert '<section id="study-sample_mean" class="numbered">' in page and page.count('<svg class="chart"') == 1
    assert "This run holds no evaluation" not in page and "All figures" not in page
    assert "<title>study · " in page


def test_names_are_text_and_never_markup(
    tmp_path: Path, sample_mean: type[Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_mean, "paper", "<script>alert(1)</script>")
    store = open_store(str(tmp_path))
    run = study(StudyConfig(study="sample_mean", executor="local"), store).run
    page = store.read(report(ReportConfig(run=run), store, Progress()).path).decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page
