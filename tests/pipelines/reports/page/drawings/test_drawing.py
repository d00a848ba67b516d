"""What holds for every drawing: whatever a study's column holds can name what it draws."""

from typing import Any

import pandas as pd
import pytest

from tests.pipelines.reports.page.drawings.subjects import drawn

NAMED: dict[str, dict[str, Any]] = {
    "seed_bars": {"label": "named"},
    "seed_bars in panels": {"label": "word", "panel": "named"},
    "seed_lines": {"series": "named"},
    "lines": {"x": "x", "y": "value", "series": "named"},
    "lines in panels": {"x": "x", "y": "value", "series": "word", "panel": "named"},
    "heat_map": {"x": "x", "y": "named"},
    "heat_map in maps": {"x": "x", "y": "word", "series": "named"},
    "scatter": {"x": "x", "y": "value", "panel": "named"},
    "table": {},
    "figure_table": {"rows": ["named"]},
    "figure_table in groups": {"rows": ["word"], "groups": ["named"], "columns": ["x"]},
    "figure_table by figures": {"rows": ["word"], "columns": ["named"]},
}
FIGURE = {"ci_low": 0.1, "ci_high": 0.9, "n": 5, "unit": "1", "metric": "luck"}
VALUES = {
    "a truth value": (True, False),
    "a number": (2, 10),
    "a fraction": (0.125, 32.0),
    "text": ("lewm", "pldm"),
    "text or nothing": ("lewm", None),
    "a number or nothing": (0.5, None),
    "a truth value or nothing": (True, None),
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("case", NAMED)
def test_any_kind_of_value_names_what_is_drawn(case: str, kind: str) -> None:
    rows: list[dict[str, Any]] = [
        {"named": value, "word": word, "x": x, "seed": seed, "value": 0.1 * x + seed, **FIGURE}
        for value in VALUES[kind]
        for word in ("near", "far")
        for x in (1, 2)
        for seed in (0, 1)
    ]
    blocks = drawn(case.split()[0], "study_x", pd.DataFrame(rows), **NAMED[case])
    shown = {True: "named", False: "no named", 2: "2", 10: "10", 0.125: "0.125", 32.0: "32", "lewm": "lewm", 0.5: "0.5"}
    if case != "table":
        assert all(shown[value] in blocks[0].content for value in VALUES[kind] if value in shown), kind
    assert blocks and blocks[0].content
