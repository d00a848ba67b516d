"""Models held against each other: one that is better by construction, what is refused, and what is left out."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.reports.comparison import Comparison, Difference, compare
from pipelines.reports.comparison.texts import comparison_lines
from pipelines.store.reports import read_table, write_tables
from pipelines.store.sealed import read_if_there
from tests.pipelines.reports.comparison.judged import (
    PROBLEMS,
    made,
    write_latent,
    write_planning,
    write_probing,
    write_surprise,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "runs"))


@pytest.fixture
def two(store: Store) -> Store:
    """A store in which `m1` is better than `m0` in everything."""
    for model, skill in (("m0", 0.4), ("m1", 0.8)):
        write_planning(store, model, skill)
        write_surprise(store, model, height=4 * skill)
        write_probing(store, model, noise=0.1 / skill)
        write_latent(store, model, rank=20 * skill)
    return store


def figure(found: Comparison, metric: str, second: str = "m1") -> Difference:
    return next(one for one in found.differences if one.metric == metric and one.second == second)


def test_the_better_model_is_better_in_everything(two: Store) -> None:
    found = compare(two, ["m0", "m1"])
    metrics = ("success_rate", "final_distance", "regret", "auroc", "unexplained_variance")
    assert [figure(found, metric).verdict for metric in metrics] == ["better"] * 5
    # Its interval excludes 0; the exact test, corrected for all figures, does not hold it to be more than chance.
    twins = figure(found, "pairwise_accuracy")
    assert (twins.ci_low or 0) > 0 and (twins.p_holm or 0) >= 0.05 and twins.verdict == "open"
    success = figure(found, "success_rate")
    assert success.n == PROBLEMS and success.over == "problems" and success.missing == 0
    assert success.only_second is not None and success.only_first is not None and success.p_value is not None
    assert success.difference == pytest.approx((success.only_second - success.only_first) / PROBLEMS)
    assert success.p_value < 0.01 < 0.5 < (success.improvement or 0)
    assert success.p_holm is not None and success.p_value < success.p_holm < 0.05
    rank = figure(found, "effective_rank")
    assert (rank.over, rank.less_is_better) == ("unpaired", None) and found.notes == ()


def test_the_swapped_order_flips_the_signs(two: Store) -> None:
    there, back = compare(two, ["m0", "m1"]), compare(two, ["m1", "m0"])
    assert len(there.differences) == len(back.differences) == 7
    for one, other in zip(there.differences, back.differences, strict=True):
        assert (one.difference, one.ci_low, one.ci_high) == pytest.approx(
            (-other.difference, -(other.ci_high or 0), -(other.ci_low or 0))
        )
        assert one.p_value == pytest.approx(other.p_value) and one.first_value == other.second_value
        assert one.only_first == other.only_second
        if one.improvement is not None and other.improvement is not None:
            assert one.improvement == pytest.approx(1 - other.improvement)


def test_all_are_held_against_the_first(two: Store) -> None:
    write_planning(two, "m2", 0.6)
    found = compare(two, ["m0", "m1", "m2"], kinds=["planning"])
    assert {(one.first, one.second) for one in found.differences} == {("m0", "m1"), ("m0", "m2")}
    assert compare(two, ["m0", "m1"], kinds=["surprise"]).sides.keys() == {"m0", "m1"}


def test_a_model_is_named_by_its_weights_too(two: Store) -> None:
    digest = b"m0".hex()
    again = write_planning(two, "m0", 0.9, model_digest="ab" * 32)
    found = compare(two, [f"m0@{digest}0000", "m0@abab"], kinds=["planning"])
    assert found.sides["m0@abab"] == ("m0@abababab",) and figure(found, "success_rate", "m0@abab").verdict == "better"
    assert again.model_digest is not None
    with pytest.raises(InputError, match=r"model 'm0@ffff' has no evaluation of such weights; choose from: m0@"):
        compare(two, ["m0@ffff", "m1"])


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["m0"], "name two models or more"),
        (["m0", "m0"], r"model m0@\w+ is named twice, in 'm0' and 'm0'"),
        (["m0", "m0,m1"], r"model m0@\w+ is named twice, in 'm0' and 'm0,m1'"),
        (["m0", "nosuch"], "there is no model 'nosuch' in store .*; choose from: m0, m1"),
        (["m0", "m1,nosuch"], "there is no model 'nosuch' in store .*; choose from: m0, m1"),
        (["m0", "x*"], r"pattern 'x\*' fits no model of store .*; choose from: m0, m1"),
        (["m0", "trained"], "'trained' is in store .*no evaluation judged it yet; first run: jepa evaluate --model tr"),
        (["m0", "tr*"], "'trained' is in store .* first run: jepa evaluate --model trained; judged are: m0, m1"),
    ],
)
def test_sides_that_are_none_are_refused(two: Store, texts: list[str], sentence: str) -> None:
    two.write("models/trained/config.json", b"{}")
    with pytest.raises(InputError, match=sentence):
        compare(two, texts)


def test_an_empty_store_is_refused_in_a_sentence(store: Store) -> None:
    with pytest.raises(InputError, match="evaluate two models first"):
        compare(store, ["m0", "m1"])


@pytest.mark.parametrize(
    ("changes", "what", "command"),
    [
        ({"problems_digest": "8" * 64}, "problems (99999999 and 88888888)", "--dataset d0@1 --protocol two-room-v1"),
        (
            {"dataset_version": 2, "dataset_digest": "c" * 64},
            "dataset version (d0@1 dddddddd and d0@2 cccccccc)",
            "d0@1",
        ),
        (
            {"protocol_digest": "7" * 64, "protocol": "tiny-v1"},
            "protocol settings (eeeeeeee and 77777777)",
            "--model m1@6d310000 --dataset d0@1 --protocol two-room-v1 --kinds planning --problems 99999999",
        ),
        ({"evaluation_version": 2}, "evaluation version (1 and 2)", "jepa evaluate --model m0@6d300000"),
        ({"evaluation_version": None, "protocol_digest": None}, "evaluation version (1 and unknown)", "--model m1@"),
    ],
)
def test_what_differs_is_refused_with_the_command_that_helps(
    store: Store, changes: dict[str, Any], what: str, command: str
) -> None:
    write_planning(store, "m0", 0.5)
    write_planning(store, "m1", 0.5, **changes)
    with pytest.raises(InputError) as refused:
        compare(store, ["m0", "m1"])
    message = str(refused.value)
    assert "models m0 and m1 cannot be compared: planning: " in message
    assert what in message and command in message and "to judge both alike: jepa evaluate" in message


def test_kinds_that_differ_are_left_out_with_a_note_where_others_agree(two: Store) -> None:
    write_planning(two, "m2", 0.5, problems_digest="8" * 64)
    write_latent(two, "m2", 12)
    found = compare(two, ["m0", "m2"])
    assert [one.metric for one in found.differences] == ["effective_rank"]
    notes = " ".join(found.notes)
    assert (
        "differ in problems (99999999 and 88888888)" in notes and "surprise: m2@6d320000 was not judged by it" in notes
    )
    assert any("not compared: " in line for line in comparison_lines(found))
    write_tables(two, {"shifts": []}, "shifts-latent-door", made("m0", {"model_digest": b"m0".hex().ljust(64, "0")}))
    said = "neither m0 nor m2 was judged by 'nosuch'; choose from: latent, planning, probing, surprise$"
    with pytest.raises(InputError, match=said):
        compare(two, ["m0", "m2"], kinds=["nosuch"])


def test_protocols_are_compared_apart_and_those_of_one_alone_are_named(two: Store) -> None:
    for model, skill in (("m0", 0.3), ("m1", 0.9)):
        write_planning(two, model, skill, protocol="strict-v1", protocol_digest="5" * 64)
    write_planning(two, "m1", 0.9, protocol="long-v1", protocol_digest="4" * 64)
    found = compare(two, ["m0", "m1"], kinds=["planning"])
    assert sorted({one.protocol for one in found.differences}) == ["strict-v1", "two-room-v1"]
    assert len(found.differences) == 6
    (note,) = found.notes
    assert note.startswith("planning: not every model") and note.endswith(
        "was on d0@1; it differs in protocol settings"
    )


def test_what_is_open_after_the_correction_has_no_star(store: Store) -> None:
    """One interval in twenty excludes 0 by chance; of many figures a few must not be called better."""
    for model, skill in (("m0", 0.5), ("m1", 0.55)):
        for goal in ("uniform", "cross_room", "far", "near", "corner", "door"):
            write_planning(store, model, skill, goal=goal)
    found = compare(store, ["m0", "m1"])
    tested = [one for one in found.differences if one.p_value is not None]
    assert len(tested) == len(found.differences) == 18
    assert all((one.verdict == "open") == ((one.p_holm or 0) >= 0.05) for one in tested)
    least = min(one.p_value or 0 for one in tested)
    assert min(one.p_holm or 0 for one in tested) == pytest.approx(min(1.0, 18 * least))
    # An interval that is off 0 alone stars nothing.
    off = found.differences[0].model_copy(update={"ci_low": 0.01, "ci_high": 0.2, "p_value": 0.03, "p_holm": 0.5})
    assert off.verdict == "open" and off.model_copy(update={"p_holm": 0.01, "difference": 0.1}).verdict == "better"


def test_missing_rows_are_counted_and_not_compared(store: Store) -> None:
    write_planning(store, "m0", 0.5)
    write_planning(store, "m1", 0.5, keep=slice(10, None))
    success = figure(compare(store, ["m0", "m1"]), "success_rate")
    assert (success.n, success.missing) == (PROBLEMS - 10, 10)


def test_one_problem_has_a_difference_and_no_interval(store: Store) -> None:
    for model, skill in (("m0", -9.0), ("m1", 9.0)):
        write_planning(store, model, skill, keep=slice(0, 1))
    found = compare(store, ["m0", "m1"])
    assert figure(found, "success_rate").difference == 1 and figure(found, "success_rate").p_value == 1
    assert figure(found, "regret").ci_low is None and figure(found, "regret").verdict == "open"
    assert any("no interval" in line for line in comparison_lines(found))


def test_models_that_do_the_same_do_not_differ(store: Store) -> None:
    for model in ("m0", "m1"):
        write_planning(store, model, 9.0)
    found = compare(store, ["m0", "m1"])
    success = figure(found, "success_rate")
    assert success.difference == 0 and success.verdict == "open" and success.improvement == 0.5
    assert success.ci_low is not None and success.ci_low < -0.01


def test_a_distance_that_is_not_a_number_leaves_its_problem_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_planning(store, "m0", 0.5)
    write_planning(store, "m1", 0.5)

    def holed(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(final_distance=rows.final_distance.where(~((rows.problem < 4) & rows.model.eq("m1"))))

    def read(*args: Any, **named: Any) -> Any:
        return read_table(*args, **named).map_partitions(holed)

    monkeypatch.setattr("pipelines.reports.comparison.scores.read_table", read)
    found = compare(store, ["m0", "m1"])
    assert figure(found, "success_rate").n == PROBLEMS
    assert (figure(found, "final_distance").n, figure(found, "final_distance").missing) == (PROBLEMS - 4, 4)


def test_seeds_of_a_recipe_are_one_side_with_means_and_a_split_of_the_variance(store: Store) -> None:
    for recipe, skill in (("old", 0.3), ("new", 0.7)):
        for seed in range(3):
            write_planning(store, f"{recipe}-s{seed}", skill + 0.05 * seed, streams=3)
    found = compare(store, ["old-s*", "new-s0,new-s1,new-s2"])
    success = figure(found, "success_rate", "new-s0,new-s1,new-s2")
    assert success.over == "problems and seeds" and success.verdict == "better" and success.only_first is None
    means = {one.side: one for one in found.seeds if one.metric == "success_rate"}
    assert means["old-s*"].value < means["new-s0,new-s1,new-s2"].value and means["old-s*"].seeds == 3
    tables = [one for one in found.variance if one.side == "old-s*"]
    assert {one.metric for one in tables} == {"success_rate", "regret"}
    assert (tables[0].seeds, tables[0].streams, tables[0].problems) == (3, 3, PROBLEMS)
    assert sum(part.share or 0 for part in tables[0].components) == pytest.approx(1)
    assert tables[0].share_of("problem") == max(part.share or 0 for part in tables[0].components)
    lines = comparison_lines(found)
    assert any(line.startswith("where scatter comes from") for line in lines)
    assert max(map(len, lines)) <= 80


def test_lines_fit_a_terminal_of_80_columns(two: Store) -> None:
    write_planning(two, "m1", 0.9, protocol="long-v1", protocol_digest="4" * 64)
    lines = comparison_lines(compare(two, ["m0", "m1"]))
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("m1 less m0")
    assert lines[1] == f"success rate, two-room-v1, n {PROBLEMS}: m1 is better in 1 of 1"
    assert any(line.split()[:2] == ["m0", "m1"] for line in lines)


def test_only_the_files_of_the_named_models_are_read(two: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_planning(two, "m2", 0.5)
    read: list[str] = []

    def watched(store: Store, path: str) -> bytes | None:
        read.append(path)
        return read_if_there(store, path)

    monkeypatch.setattr("pipelines.store.reports.tables.read_if_there", watched)
    compare(two, ["m0", "m1"], kinds=["planning"])
    assert read and not [path for path in read if "m2" in path or "kind=steps" in path]
