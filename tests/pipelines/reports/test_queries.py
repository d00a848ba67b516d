"""The queries of the README, run as they stand there, and what the public functions behind them return."""

import re
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from jepa.evaluation.statistics import wilson
from pipelines.reports import (
    Context,
    probe_error_by_quantity,
    success_by_world_and_model,
    surprise_by_perturbation,
    write_tables,
)
from tests.pipelines.reports import synthetic

ROOT = Path(__file__).resolve().parents[3]


def query_blocks() -> list[str]:
    """Returns the Python blocks of the section "Query": the project's README has it, or else this folder's."""
    for readme in (ROOT / "README.md", ROOT / "pipelines" / "reports" / "README.md"):
        text = readme.read_text() if readme.exists() else ""
        section = re.search(r"^##+ Query\n(.*?)(?=^##? |\Z)", text, flags=re.DOTALL | re.MULTILINE)
        if section:
            return re.findall(r"```python\n(.*?)```", section[1], flags=re.DOTALL)
    return []


@pytest.fixture
def two_seeds(tmp_path: Path) -> Store:
    """A store in the folder `runs` with one model judged under two seeds, and a second model."""
    store = open_store(str(tmp_path / "runs"))
    for model, seed in (("m0", 0), ("m0", 1), ("m1", 0)):
        rows = [
            *synthetic.planning_metrics(seed=seed),
            *synthetic.probing_metrics(seed),
            *synthetic.surprise_metrics(seed),
        ]
        context: Context = synthetic.context(f"run-{model}-{seed}", model)
        write_tables(store, {"metrics": rows}, f"{model}-{seed}", context)
    return store


def test_the_readme_shows_three_queries_that_run_as_they_stand(
    two_seeds: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(two_seeds.uri).parent)
    blocks = query_blocks()
    assert len(blocks) == 3
    for block, words in zip(blocks, ("cross_room", "agent_position", "teleport"), strict=True):
        exec(compile(block, "README.md", "exec"), {})
        printed = capsys.readouterr().out
        assert words in printed and "m1" in printed and "two_room" in printed


def test_success_pools_the_problems_of_all_seeds(two_seeds: Store) -> None:
    table = success_by_world_and_model(two_seeds).set_index(["model", "goal", "planner"])
    row = table.loc[("m0", "cross_room", "cem")]
    expected = wilson(90, 100)
    assert (row.success_rate, row.ci_low, row.ci_high, row.n) == (expected.value, expected.low, expected.high, 100)
    assert table.loc[("m1", "cross_room", "cem")].n == 50
    assert len(table) == 2 * 2 * 3


def test_probe_errors_stand_by_quantity_and_probe(two_seeds: Store) -> None:
    table = probe_error_by_quantity(two_seeds).set_index(["model", "quantity", "probe"])
    assert table.loc[("m0", "door", "linear")].r2 == pytest.approx(0.959)
    assert table.loc[("m0", "door", "linear")].mse == pytest.approx(0.041)
    assert {"mse", "pearson_r", "r2"} <= set(table.columns) and len(table) == 2 * 3 * 2


def test_surprise_stands_by_perturbation(two_seeds: Store) -> None:
    table = surprise_by_perturbation(two_seeds).set_index(["model", "shift"])
    assert table.loc[("m0", "recolour")].auroc == pytest.approx(0.957)
    assert table.loc[("m0", "recolour")].n == 100 and len(table) == 4


def test_queries_of_an_empty_store_are_empty(tmp_path: Path) -> None:
    empty = str(tmp_path / "empty")
    for query in (success_by_world_and_model, probe_error_by_quantity, surprise_by_perturbation):
        assert query(empty).empty
