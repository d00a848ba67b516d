"""A page draws the cells that its claims were judged on."""

from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.studies import Study
from pipelines.reports.page import ReportConfig, data, report
from pipelines.reports.page.data import ReportData, read_run
from pipelines.store.reports import committed_units
from pipelines.study import StudyConfig, study


def run_seeds(store: Store, *seeds: int, run: str = "r0") -> None:
    study(StudyConfig(study="sample_mean", executor="local", cell={"seed": list(seeds)}, run=run), store)


def seeds_of(found: ReportData) -> set[int]:
    return set(found.tables["study_sample_mean"].seed)


@pytest.mark.usefixtures("sample_mean")
def test_cells_of_an_earlier_grid_are_left_out_whichever_was_asked_for_last(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    run_seeds(store, 0, 1, 2)
    run_seeds(store, 7, 8, 9)
    assert seeds_of(read_run(store, "r0")) == {7, 8, 9}
    run_seeds(store, 0, 1, 2)  # all done before: only the claims are judged again
    assert seeds_of(read_run(store, "r0")) == {0, 1, 2}


def test_cells_of_another_version_are_left_out(
    tmp_path: Path, sample_mean: type[Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path))
    run_seeds(store, 0, 1)
    monkeypatch.setattr(sample_mean, "version", sample_mean.version + 1)
    run_seeds(store, 2, 3)
    assert seeds_of(read_run(store, "r0")) == {2, 3}


@pytest.mark.usefixtures("sample_mean")
def test_claims_that_are_replaced_while_a_page_is_made_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path))
    run_seeds(store, 0, 1)
    before = committed_units(store)
    run_seeds(store, 2, 3)  # replaces the claims, whose earlier file is gone
    reads = iter([before])
    monkeypatch.setattr(data, "committed_units", lambda store: next(reads, None) or committed_units(store))
    page = store.read(report(ReportConfig(run="r0"), store, Progress()).path).decode()
    assert "verdict-" in page and next(reads, None) is None


@pytest.mark.usefixtures("sample_mean")
def test_a_file_that_is_lost_for_good_is_an_error(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    run_seeds(store, 0, 1)
    (lost,) = tmp_path.glob("reports/kind=claims/*.parquet")
    lost.unlink()
    with pytest.raises(InfraError, match="is gone: lost, or its unit was evaluated again meanwhile"):
        read_run(store, "r0")
