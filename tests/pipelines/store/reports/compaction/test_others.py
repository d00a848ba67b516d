"""What DuckDB is given to read a table with: each row once, whatever is compacted, done again or removed."""

from collections import Counter
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.removal import plan_removal, remove
from pipelines.store.reports import plan_run, units
from pipelines.store.reports.compaction import index, sweep
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.compaction.others import view_of
from tests.narrow import queried
from tests.pipelines.store.reports.compaction.stage import ROWS, in_all_ways, of_glob, put


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "it's a store"))


def of_query(store: Store) -> Counter[tuple[str, int]]:
    """Returns how often the query of `jepa reports sql` finds each row of `metrics`."""
    rows = queried(f"SELECT metric, value::INT FROM ({view_of(store, 'metrics').sql})").fetchall()
    return Counter((str(metric), int(value)) for metric, value in rows)


def expected(**attempts: int) -> Counter[tuple[str, int]]:
    return Counter({(f"{key}/{row}", attempt): 1 for key, attempt in attempts.items() for row in range(ROWS)})


def test_the_query_finds_each_row_once_where_a_glob_does_not(local: Store) -> None:
    assert of_query(local) == Counter()
    for key in "abcd":
        put(local, key, 1, run=f"r-{key}")
        plan_run(local, f"r-{key}", [key], {})
    assert of_query(local) == of_glob(local) == expected(a=1, b=1, c=1, d=1)
    compact(local)
    put(local, "b", 2, force=True)
    put(local, "e", 1)
    right = expected(a=1, b=2, c=1, d=1, e=1)
    assert of_query(local) == right and of_glob(local) == right + expected(b=1)
    view = view_of(local, "metrics")
    assert sorted((one.rows, one.superseded) for one in view.files) == [(2, 0), (2, 0), (6, 2)]
    compact(local)
    assert of_query(local) == of_glob(local) == right
    # What is removed is gone for all at once, without another compaction.
    remove(local, plan_removal(local, "run", "r-c"))
    right = expected(a=1, b=2, d=1, e=1)
    assert of_query(local) == of_glob(local) == right
    assert in_all_ways(local, ["a", "b", "c"]) == {"a": 1, "b": 2, "d": 1, "e": 1}
    put(local, "c", 3)
    assert in_all_ways(local, ["c"])["c"] == 3, "a removed unit can be done again"
    compact(local)
    assert in_all_ways(local, ["c"])["c"] == 3


def test_a_query_whose_files_were_compacted_since_fails_and_gives_no_wrong_rows(local: Store) -> None:
    put(local, "a", 1)
    query = view_of(local, "metrics").sql
    compact(local)
    with pytest.raises(Exception, match="No files found"):
        queried(query).fetchall()


def test_the_query_counts_no_dead_row_where_a_compaction_comes_while_it_is_made(
    local: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in "abc":
        put(local, key, 1)
    compact(local)
    put(local, "c", 2, force=True)
    read = index.read_compacted

    def another_comes_after_it(store: Store) -> object:
        found = read(store)
        monkeypatch.setattr(units, "read_compacted", read)
        with monkeypatch.context() as killed:
            killed.setattr(sweep, "sweep", lambda *arguments, **options: 0)  # before it deletes old files
            compact(store)
        return found

    monkeypatch.setattr(units, "read_compacted", another_comes_after_it)
    assert of_query(local) == expected(a=1, b=1, c=2)


def test_a_table_that_is_none_is_refused(local: Store) -> None:
    with pytest.raises(InputError, match="report table 'metric' is not known"):
        view_of(local, "metric")
    assert not issubclass(InputError, InfraError)
