"""Figures of many planners: variants of a grid, and planners that differ by name alone."""

from itertools import product

from tests.pipelines.reports import synthetic

VARIANTS = [
    f"{base} samples={samples} iterations={iterations} replan={replan}"
    for base, samples, iterations, replan in product(("cem", "icem"), (32, 100, 300), (3, 10, 30), (5, 25))
]
"""36 labels as `--grid` makes them."""


def grid_rows(planners: list[str], offsets: tuple[int, ...] = (25,), split: str = "test") -> list[synthetic.Row]:
    """Returns success, regret and seconds of these planners and of the references, each with a value of its own."""
    made = []
    for goal, offset in product(("uniform", "cross_room"), offsets):
        for place, planner in enumerate([*planners, "random", "oracle", "demonstration"]):
            rate = {"random": 0.05, "oracle": 0.97, "demonstration": 1.0}.get(planner)
            rate = 0.4 + 0.5 * ((7 * place) % 36) / 36 - 0.001 * offset + 0.01 * len(goal) if rate is None else rate
            where = {"planner": planner, "goal": goal, "offset": offset, "n": 40, "split": split}
            # Of its own width each, and of its own seconds at each goal, so that none can stand for another.
            seconds, half = 0.001 * 1.17**place * len(goal), 0.02 + 0.003 * (place % 5)
            made += [
                synthetic.metric("planning", "success_rate", rate, half=half, **where),
                synthetic.metric("planning", "plan_seconds", seconds, unit="s", half=0.0, **where),
                synthetic.metric(
                    "planning", "regret", 0.97 - rate, quantity="final_distance", unit="scene width", **where
                ),
            ]
    return made
