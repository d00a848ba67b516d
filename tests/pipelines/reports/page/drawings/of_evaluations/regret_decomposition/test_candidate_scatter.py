"""Candidates of a menu: every one where its costs put it, planners of one cost together, plans with a ring."""

import re

import pandas as pd

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.charts import points
from tests.pipelines.reports.page.drawings.subjects import AMOUNTS, drawn, frame

COSTS = {"cem": "latent", "icem": "latent", "path": "other"}


def candidates(problems: int = 2) -> pd.DataFrame:
    """Returns menus of nine candidates, on which two planners have one cost and a third has another."""
    (_, example) = synthetic.regret_rows()["regret_candidates"]
    made = []
    for planner, cost in COSTS.items():
        for goal in ("uniform", "cross_room"):
            for problem in range(problems):
                for place in range(9):
                    true = 0.1 * place
                    real = (10 if cost == "latent" else 20) * true + problem
                    own: synthetic.Row = {"planner": planner, "goal": goal, "problem": problem, "candidate": place}
                    own |= {"true_cost": true, "real_latent_cost": real, "imagined_latent_cost": real + 0.3}
                    own |= {"chosen": place == {"cem": 1, "icem": 2, "path": 0}[planner]}
                    made.append({**example, **own})
    return frame("regret_candidates", made)


def test_planners_of_one_cost_share_a_row_and_each_plan_has_a_ring() -> None:
    (block,) = drawn("candidate_scatter", "regret_candidates", candidates())
    text = str(block.content)
    assert block.heading == "Chart · scope" and text.count(">cem, icem</text>") == text.count(">path</text>") == 1
    rings = [words for words, _, _ in points(text)]
    assert len(rings) == 4 * len(COSTS)
    assert rings.count("plan of icem: true cost 0.200, imagined 2.300") == 2
    # Two costs on four problems, each candidate once real and once imagined, and the rings.
    assert len(re.findall("<use [^>]*(var\(--grey\)|var\(--blue\))", text)) >= 2 * 2 * 4 * 9


def test_kinds_of_goals_take_turns_among_the_problems_that_are_shown() -> None:
    (block,) = drawn("candidate_scatter", "regret_candidates", candidates(5))
    titles = re.findall(r">((?:uniform|cross-room) · problem \d)</text>", str(block.content))
    assert titles[: AMOUNTS.paths] == [f"{goal} · problem {n}" for n in (0, 1) for goal in ("uniform", "cross-room")]


def test_more_costs_than_a_page_shows_are_counted() -> None:
    rows = candidates(1)
    rows = rows[rows.planner == "cem"]
    many = [rows.assign(planner=f"p{k}", imagined_latent_cost=rows.imagined_latent_cost + k) for k in range(6)]
    (block,) = drawn("candidate_scatter", "regret_candidates", pd.concat(many))
    assert block.heading == "Chart · scope · 4 of 6 costs"
    assert drawn("candidate_scatter", "regret_candidates", rows.iloc[:0]) == []
