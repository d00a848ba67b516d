"""Lines over seeds: each seed counts once, and the band is Student's interval."""

from typing import Any

import pandas as pd
import pytest

from jepa.core.errors import InputError
from pipelines.reports.page.drawings.seed_lines import over_seeds
from tests.pipelines.reports.page.drawings.subjects import drawn

ROWS = pd.DataFrame(
    [
        {"size": size, "arm": arm, "seed": seed, "value": seed + size / 100 + extra}
        for size in (10, 100)
        for arm in ("one", "other_arm")
        for seed in range(3)
        for extra in (-0.5, 0.5)
    ]
)


def test_a_seed_with_several_rows_counts_once() -> None:
    places, means, lows, highs = over_seeds(ROWS[ROWS.arm == "one"], "size", "value")
    assert places == [10, 100] and means == pytest.approx([1.1, 2.0])
    assert highs[0] - means[0] == pytest.approx(4.302653 / 3**0.5, rel=1e-5) and lows[0] < means[0]
    alone = over_seeds(ROWS[ROWS.seed == 0], "size", "value")
    assert alone[2] == alone[1] == alone[3]


def test_series_places_and_labels_are_named() -> None:
    (block,) = drawn("seed_lines", "study_any", ROWS, x="size", series="arm", log_x=True, y_label="R²", mark=0.5)
    assert "other arm" in block.content and "R²" in block.content and ">100<" in block.content
    assert "mathdefault" not in block.content


ODD = [float("nan"), float("inf"), None]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("drawing", "options"),
    [
        ("seed_lines", {"x": "size", "log_x": True, "log_y": True, "series": "arm"}),
        ("scatter", {"x": "size", "y": "value", "colour": "seed"}),
        ("heat_map", {"x": "size", "y": "seed", "series": "arm"}),
    ],
)
@pytest.mark.filterwarnings("error")
def test_places_without_a_figure_are_left_out_and_nothing_is_drawn_of_none(
    drawing: str, options: dict[str, Any], odd: float | None
) -> None:
    missing = pd.DataFrame(ROWS.assign(value=pd.Series([odd] * len(ROWS), dtype="float64")))
    assert not drawn(drawing, "study_any", missing, **options)
    values = [value if size == 10 else odd for value, size in zip(ROWS["value"], ROWS["size"], strict=True)]
    some = pd.DataFrame(ROWS.assign(value=pd.Series(values, dtype="float64")))
    (block,) = drawn(drawing, "study_any", some, **options)
    (same,) = drawn(drawing, "study_any", pd.DataFrame(ROWS[ROWS["size"] == 10]), **options)
    assert block.content == same.content


@pytest.mark.parametrize("drawing", ["seed_lines", "scatter"])
def test_a_column_of_words_is_named_where_numbers_are_needed(drawing: str) -> None:
    with pytest.raises(InputError, match="column 'arm' of table 'study_any' holds no numbers"):
        drawn(drawing, "study_any", ROWS, x="arm", y="value")
