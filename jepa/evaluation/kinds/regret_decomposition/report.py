"""What the decomposition of regret leaves for the report: rows a problem and a candidate, headlines, its section."""

from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table

_LABELS = (
    Column("split", "string", "split that the problem was drawn from"),
    Column("protocol", "string", "named and versioned set-up"),
    Column("planner", "string", "label of the planner, whose cost the candidates are ranked by"),
    Column("cost", "string", "registered name of that cost"),
    Column("privileged", "bool", "whether planner or cost knows states that no camera shows, or what comes"),
    Column("seed", "int", "seed of the evaluation"),
    Column("goal", "string", "kind of goal"),
    Column("offset", "int", "environment steps from the start to the goal in the recorded episode", optional=True),
    Column("problem", "int", "number of the problem; the same number is the same problem and menu for every planner"),
    Column("unit", "string", "unit of true costs and regrets"),
)

PROBLEMS = Table(
    "regret_problems",
    (
        *_LABELS,
        Column("episode", "int", "index of the held-out episode that start and goal come from"),
        Column("start_row", "int", "row of the start in that episode"),
        Column("rank_correlation_cost", "float", "Spearman over the menu: cost of real frames' latents, true cost"),
        Column("rank_correlation_model", "float", "Spearman over the menu: cost of imagined latents, of real frames'"),
        Column("rank_correlation_both", "float", "Spearman over the menu: cost of imagined latents, true cost"),
        Column("regret", "float", "true cost of the plan less the menu's best; the sum of the three parts"),
        Column("regret_cost", "float", "part that the cost loses: real_best less menu_best"),
        Column("regret_model", "float", "part that the model loses: imagined_best less real_best"),
        Column("regret_search", "float", "part that the search loses: plan less imagined_best"),
        Column("menu_best", "float", "least true cost on the menu, the demonstration not counted"),
        Column("real_best", "float", "true cost of the candidate whose real frames cost least"),
        Column("imagined_best", "float", "true cost of the candidate that costs least in imagination"),
        Column("plan", "float", "true cost of the planner's plan"),
    ),
)

CANDIDATES = Table(
    "regret_candidates",
    (
        *_LABELS,
        Column("panel", "string", "kind of goal and number of the problem"),
        Column("candidate", "int", "place on the menu"),
        Column("origin", "string", "plan, last_iteration, near_plan, demonstration, near_demonstration or random"),
        Column("chosen", "bool", "whether it is this planner's plan"),
        Column("true_cost", "float", "distance to the goal after it was carried out in the true world"),
        Column("real_latent_cost", "float", "cost of the latents of the frames that really result"),
        Column("imagined_latent_cost", "float", "cost of the latents that the model imagines"),
    ),
)

TABLES = (PROBLEMS, CANDIDATES)
HEADLINES = (
    HeadlineFigure(
        "regret_part",
        "regret_part",
        "regret by the {quantity}, {goal}",
        title="parts of the regret",
        by=("goal", "offset", "quantity", "planner"),
        marks=("privileged",),
        track=None,
        less_is_better=True,
        across="quantity",
        order=45,
    ),
)

FIGURES = {
    "top1_regret planner": "regret",
    "regret_part cost": "of the cost",
    "regret_part model": "of the model",
    "regret_part search": "of the search",
    "rank_correlation cost": "Spearman, cost",
    "rank_correlation model": "Spearman, model",
    "rank_correlation both": "Spearman, both",
}
"""Titles of the table's figures, in their order."""

SECTION = Section(
    "Where regret is lost: cost, model or search",
    charts=(
        Chart(
            "regret_parts",
            where={"metric": "regret_part"},
            heading="Parts of the regret",
            reading="True distance to the goal that is lost, against the best of a menu of candidates: by ranking them "
            "by the cost of the frames that really result (cost), what ranking by imagined latents adds (model), and "
            "what the plan adds to the best in imagination (search). The parts sum to the regret; a negative one "
            "undoes a part of another. The demonstration itself, which arrives by construction, is not ranked.",
            options={"title": "regret, {unit}"},
        ),
        Chart(
            "figure_table",
            without={"metric": ("true_cost",), "quantity": ("real_latents", "imagined_latents")},
            heading="Regret and rank correlation",
            reading="Regret of the plan against the menu's best, in true distance, and its parts. Spearman over the "
            "menu: latents of real frames against the truth (cost), imagined against real latents (model), imagined "
            "latents against the truth (both). Means over problems; small: 95 % intervals.",
            options={
                "groups": ("split", "goal"),
                "figures": FIGURES,
                "sort": ("top1_regret planner",),
                "marks": ("privileged",),
            },
        ),
        Chart(
            "candidate_scatter",
            table="regret_candidates",
            heading="Candidates of some problems",
            reading="Each dot is a candidate of the menu: blue what the planner imagines that it costs, grey what the "
            "frames that really result cost. Where grey rises with the truth, the cost is right; where blue lies on "
            "grey, the model is; a ring is the plan, and one far right of the leftmost dots a search that missed.",
        ),
    ),
    order=25,
)
