"""The page of a store that means no good, or holds next to nothing, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from infra.storage import open_store
from pipelines.store.reports import write_tables
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.browser import DESKTOP, PHONE, seen
from tests.pipelines.reports.page.evaluated import film_rows, regret
from tests.pipelines.reports.page.pages import made
from tests.pipelines.reports.page.seen import UNMARKED

ATTACK = "</script></style><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>\"'`$\\frac{-->&lt;"
LONG = "unbroken" * 40
Tables = dict[str, list[dict[str, Any]]]


def named(name: str) -> Tables:
    """Returns rows of every table in which whatever may be chosen has this name."""
    planning = [{**row, "protocol": name, "goal": name, "unit": name} for row in synthetic.planning_metrics()]
    planning = [{**row, "planner": name if row["planner"] == "cem" else row["planner"]} for row in planning]
    probing = [{**row, "quantity": name, "probe": name} for row in synthetic.probing_metrics()]
    lost = regret()
    return {
        "metrics": planning
        + probing
        + [{**row, "shift": name} for row in synthetic.surprise_metrics()]
        + [{**row, "goal": name, "planner": name} for row in lost["metrics"]],
        "episodes": [{**row, "goal": name, "planner": name, "unit": name} for row in synthetic.planning_episodes(3)],
        "steps": [{**row, "shift": name} for row in synthetic.surprise_steps(2)],
        "predictions": [{**row, "quantity": name, "unit": name} for row in synthetic.predictions(20)],
        "pictures": [{**row, "protocol": name} for row in synthetic.decoding_rows(2)["pictures"]],
        "films": [{**row, "goal": name, "planner": name} for row in film_rows(2)],
        "regret_candidates": [{**row, "goal": name, "unit": name} for row in lost["regret_candidates"]],
        "training": [{**row, "metric": name} for row in synthetic.training_rows(100)[:6]],
    }


def without_numbers() -> Tables:
    """Returns rows whose numbers are missing, not finite, or absurd."""
    wrong = (float("nan"), None, float("inf"), -1e300, 1e-300)
    rows = [*synthetic.planning_metrics(), *synthetic.probing_metrics(), *synthetic.surprise_metrics()]
    metrics = [
        {**row, "value": wrong[place % 5], "ci_low": wrong[(place + 1) % 5], "ci_high": None, "n": 0}
        for place, row in enumerate(rows)
        if wrong[place % 5] is not None
    ]
    bare = {"path": None, "planned_path": None, "goal_point": None, "start_frame": b"no picture", "goal_frame": b""}
    return {
        "metrics": metrics,
        "episodes": [{**row, **bare} for row in synthetic.planning_episodes(2)],
        "training": [
            {**row, "value": wrong[place % 5] or 0.0} for place, row in enumerate(synthetic.training_rows(50))
        ],
    }


CASES: dict[str, Tables] = {
    "markup": named(ATTACK),
    "long names": named(LONG),
    "no numbers": without_numbers(),
    "one row": {"metrics": synthetic.surprise_metrics()[:1]},
    "one step": {"training": synthetic.training_rows(10)},
    "no rows": {"metrics": []},
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_harms_the_page(browser: Browser, tmp_path: Path, case: str) -> None:
    store = open_store(str(tmp_path))
    name = {"markup": ATTACK, "long names": LONG}.get(case, "m0")
    write_tables(store, CASES[case], "unit", synthetic.context(model=name, world=name))
    made(store, run="run-1")
    file = tmp_path / "reports/run-1/report.html"
    for width in (PHONE, DESKTOP):
        with seen(browser, file, width) as sight:
            asked: list[str] = []
            sight.page.on("dialog", lambda dialog: asked.append(dialog.message))  # noqa: B023 - read in this turn alone
            sight.page.wait_for_timeout(50)
            assert sight.complaints == [] and sight.requests == [] and asked == []
            assert sight.ask("() => document.scrollingElement.scrollWidth") <= width
            assert sight.ask(UNMARKED) == []
            scripts = "() => [...document.scripts].map(one => one.type)"
            assert sight.ask(scripts) == ["application/json"]
            assert sight.ask("() => document.querySelector('#provenance').getBoundingClientRect().height") > 50
