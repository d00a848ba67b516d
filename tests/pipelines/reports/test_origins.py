"""Origins: what sets figures apart, and the shortest words that say so."""

import pandas as pd
import pytest

from infra.storage import open_store
from pipelines.reports.origins import Names, Origin, by_origin, told_apart
from pipelines.store.reports import read_table
from tests.pipelines.reports import synthetic

FIRST = Origin(
    model="m0", model_digest="a" * 64, dataset="d0", dataset_version=1, dataset_digest="d" * 64, protocol="p-v1",
    protocol_digest="e" * 64, evaluation="planning", evaluation_version=1, split="test", seed=0,
)  # fmt: skip


def other(**changes: object) -> Origin:
    return FIRST.model_copy(update=changes)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    store = open_store(str(tmp_path_factory.mktemp("mixed")))
    synthetic.write_mixed(store)
    metrics: pd.DataFrame = read_table(store, "metrics").compute()
    return metrics


def test_every_variant_is_an_origin_and_loses_no_row(mixed: pd.DataFrame) -> None:
    planning = mixed[mixed.evaluation == "planning"]
    origins = dict(by_origin(planning))
    assert len(origins) == len(synthetic.VARIANTS) + len(synthetic.OLDER_RUNS)
    assert sum(len(rows) for rows in origins.values()) == len(planning) and {
        len(rows) for rows in origins.values()
    } == {2}
    assert {origin.run for origin in origins} == {None, *synthetic.OLDER_RUNS}


def test_what_is_shown_together_is_no_part_of_the_origin(mixed: pd.DataFrame) -> None:
    surprise = mixed[mixed.evaluation == "surprise"]
    seeds = [origin.seed for origin, _ in by_origin(surprise, together=("seed",))]
    assert set(seeds) == {None} and len(seeds) == len(synthetic.VARIANTS) - 1 + len(synthetic.OLDER_RUNS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "m1"}, [["m0"], ["m1"]]),
        ({"model_digest": "b" * 64}, [["m0@aaaaaaaa"], ["m0@bbbbbbbb"]]),
        ({"model_digest": None}, [["m0@aaaaaaaa"], ["m0"]]),
        ({"dataset": "d1"}, [["d0@1"], ["d1@1"]]),
        ({"dataset_version": 2, "dataset_digest": "f" * 64}, [["d0@1"], ["d0@2"]]),
        ({"dataset_digest": "f" * 64}, [["d0@1 (dddddddd)"], ["d0@1 (ffffffff)"]]),
        ({"protocol": "q-v1", "protocol_digest": "f" * 64}, [["p-v1"], ["q-v1"]]),
        ({"protocol_digest": "f" * 64}, [["p-v1@eeeeeeee"], ["p-v1@ffffffff"]]),
        ({"evaluation_version": 2}, [["version 1"], ["version 2"]]),
        ({"seed": 1}, [["seed 0"], ["seed 1"]]),
        ({"split": "unseen"}, [["test episodes"], ["unseen episodes"]]),
        ({"evaluation": "probing", "protocol_digest": "f" * 64}, [[], []]),
        ({}, [[]]),
    ],
)
def test_two_origins_are_told_apart_by_what_sets_them_apart(changes: dict[str, object], words: list[list[str]]) -> None:
    origins = list(dict.fromkeys([FIRST, other(**changes)]))
    assert told_apart(origins, Names(origins)) == words


def test_runs_of_older_code_are_told_apart_by_their_names() -> None:
    none = {"model_digest": None, "dataset_version": None, "dataset_digest": None, "protocol_digest": None}
    origins = [other(**none, run="a"), other(**none, run="b")]
    assert told_apart(origins, Names(origins)) == [["run a"], ["run b"]]


def test_no_two_variants_have_the_same_words(mixed: pd.DataFrame) -> None:
    origins = [origin for origin, _ in by_origin(mixed[mixed.evaluation == "planning"])]
    words = told_apart(origins, Names(origins))
    assert len(set(map(tuple, words))) == len(origins)
