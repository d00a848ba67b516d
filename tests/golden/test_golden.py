"""A refactoring changes no number: training curves, a dataset's bytes and a run's figures are those on file."""

from typing import Any

import pytest

from infra.storage import open_store
from tests.golden.figures import dataset_digests, held, metric_rows, training_curves, write_run


def test_training_curves_of_all_objectives() -> None:
    """In double precision, in which machines that round otherwise still agree to nine digits."""
    curves, wanted = training_curves(), held("training_curves")
    assert curves.keys() == wanted.keys()
    for case, curve in curves.items():
        assert curve["loss"] == pytest.approx(wanted[case]["loss"], rel=1e-9), case
        assert curve["weights"] == pytest.approx(wanted[case]["weights"], rel=1e-8), case


def test_the_bytes_of_a_dataset() -> None:
    assert dataset_digests() == held("dataset_digests")


@pytest.mark.slow
def test_the_figures_of_a_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Trained in double precision; probes and decoder are fitted in single, whose rounding is the machine's own."""
    store = open_store(str(tmp_path_factory.mktemp("golden")))
    write_run(store)
    rows, wanted = metric_rows(store), held("metric_rows")
    assert rows.keys() == wanted.keys()
    differing = {key: (row, wanted[key]) for key, row in rows.items() if not _alike(row, wanted[key])}
    assert not differing


def _alike(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(
        value == wanted[name]
        if not isinstance(value, float)
        else value == pytest.approx(wanted[name], rel=1e-3, abs=1e-6)
        for name, value in row.items()
    )
