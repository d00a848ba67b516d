"""Heat maps: a map for each value of a column, all on one scale."""

import pandas as pd

from tests.pipelines.reports.page.drawings.subjects import drawn


def test_each_map_bears_its_value_and_the_scale_its_name() -> None:
    rows = pd.DataFrame(
        [
            {"one": one, "other": other, "arm": arm, "distance": abs(one - other)}
            for one in range(12)
            for other in range(12)
            for arm in ("joint", "reward_only")
        ]
    )
    (block,) = drawn("heat_map", "study_any_pairs", rows, x="one", y="other", value="distance", series="arm")
    assert "reward only" in block.content and "joint" in block.content and "distance" in block.content
    assert block.content.count("data:image/png") >= 2
