"""Lines over seeds: each seed counts once, and the band is Student's interval."""

import pandas as pd
import pytest

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
