"""Made-up rows of evaluations beside those of `synthetic.write_run`, so that a page has a chart of every kind."""

import numpy as np

from jepa.evaluation import EVALUATIONS
from jepa.worlds.world import make_world
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.synthetic import Row, metric


def more_evaluations() -> dict[str, dict[str, list[Row]]]:
    """Returns tables by evaluation: where regret is lost, geometry, decoding, identifiability, and the latents."""
    return {
        "predictions": {"metrics": predictions()},
        "films": {"films": film_rows()},
        "regret": regret(),
        "geometry": geometry(),
        "decoding": synthetic.decoding_rows(),
        "identifiability": {"metrics": identifiability()},
        "latent": {"metrics": [metric("latent", name, 1.25) for name in ("effective_rank", "straightness", "sigreg")]},
    }


def film_rows(problems: int = 3, frames: int = 6) -> list[Row]:
    """Returns films of problems that are reached and missed in turn, of real Two-Room scenes."""
    world = make_world("two_room", 1)
    rows = []
    for problem in range(problems):
        world.begin([problem], [{"door": 0.5}])
        goal = synthetic.png(world)
        where = {"split": "test", "protocol": "two-room-v1", "planner": "cem", "seed": 0, "goal": "uniform"}
        where |= {"offset": 25, "problem": problem, "success": problem % 2 == 0}
        for step in range(frames):
            world.advance(np.array([[1.0, 0.5]], dtype=np.float32))
            row = {**where, "source": "scene", "step": step, "frame": synthetic.png(world)}
            plan = {"planned_path": [[0.1, 0.1], [0.5, 0.4]], "frame_extent": [0.0, 1.0, 1.0, 0.0]}
            rows.append(row | (plan if step == 0 else {}))
        rows.append({**where, "source": "goal", "step": frames - 1, "frame": goal})
    return rows


def predictions() -> list[Row]:
    """Returns R² of probes that read predictions, and of the baselines beside them."""
    rows = []
    for quantity in ("all", "agent_position"):
        for ahead in range(4):
            where = {"latents": "prediction", "blocks_ahead": ahead, "frames": 1, "quantity": quantity}
            rows += [metric("probing", "r2", 0.98 - 0.03 * ahead, probe=probe, **where) for probe in ("linear", "mlp")]
        for place, latents in enumerate(("pixels_pca", "untrained", "state")):
            where = {"latents": latents, "frames": 1, "quantity": quantity}
            rows.append(metric("probing", "r2", 0.4 + 0.3 * place, probe="linear", **where))
    return rows


def regret() -> dict[str, list[Row]]:
    """Returns the parts of the regret of two planners, one of them negative, and the candidates of two problems."""
    metrics, candidates = [], []
    rng = np.random.default_rng(0)
    for goal in ("uniform", "cross_room"):
        for place, planner in enumerate(("cem", "mppi")):
            where = {"goal": goal, "planner": planner, "unit": "scene width", "n": 10}
            parts = {"cost": 0.031, "model": -0.012, "search": 0.0517 + 0.02 * place}
            rows = [("regret_part", name, value) for name, value in parts.items()]
            rows += [("top1_regret", "planner", sum(parts.values()))]
            rows += [("rank_correlation", name, 0.9 - 0.01 * place) for name in ("cost", "model", "both")]
            metrics += [metric("regret_decomposition", name, value, quantity=own, **where) for name, own, value in rows]
            (_, example) = synthetic.regret_rows()["regret_candidates"]
            for number in range(12):
                cost = float(rng.uniform(0, 1))
                own = {"candidate": number, "chosen": number == place, "true_cost": cost, "planner": planner}
                own |= {"goal": goal, "real_latent_cost": 10 * cost, "imagined_latent_cost": 10 * cost + 1}
                candidates.append({**example, **own})
    return {"metrics": metrics, "regret_candidates": candidates}


def geometry() -> dict[str, list[Row]]:
    """Returns curves by true and geodesic distance, and the figures beside them."""
    (example, _) = synthetic.geometry_rows()
    curves = [
        {**example, "against": against, "pairs": pairs, "distance": at, "latent_distance": at, "ci_low": 0.9 * at}
        | {"ci_high": 1.1 * at}
        for against in ("true", "geodesic")
        for pairs in ("all", "across", "one_side")
        for at in (0.1, 0.4, 0.7)
    ]
    metrics = [
        metric("geometry", "distance_rank_correlation", 0.912, quantity="true"),
        metric("geometry", "distance_rank_correlation", 0.934, quantity="geodesic"),
        metric("geometry", "monotone_share", 0.4512, quantity="all"),
        metric("geometry", "monotone_share", 0.8125, quantity="approaching"),
        metric("geometry", "wall_ratio", 1.137),
    ]
    return {"metrics": metrics, "geometry": curves}


def identifiability() -> list[Row]:
    """Returns a figure, with some that are negative, of each chart that the evaluation declares."""
    section = EVALUATIONS.get("identifiability").section
    assert section is not None
    return [
        metric("identifiability", str(chart.where["metric"]), value - 0.01 * place, quantity=quantity)
        for place, chart in enumerate(section.charts)
        if "metric" in chart.where
        for quantity, value in (("state_from_latent", 0.976), ("measured", -0.135))
    ]
