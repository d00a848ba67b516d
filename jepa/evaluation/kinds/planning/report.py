"""What planning leaves for the report: a row for each problem and planner, its headline figures, its section."""

from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table

EPISODES = Table(
    "episodes",
    (
        Column("split", "string", "split that the problem was drawn from"),
        Column("protocol", "string", "named and versioned planning set-up"),
        Column("planner", "string", "cem, random, oracle …"),
        Column("privileged", "bool", "whether it knows states that no camera shows, or what comes", optional=True),
        Column("seed", "int", "seed of the evaluation"),
        Column("goal", "string", "kind of goal"),
        Column("offset", "int", "environment steps from start to goal, of stitched problems at most", optional=True),
        Column("success_kind", "string", "the world's test of success: usual, moderate, strict …", optional=True),
        Column("stream", "int", "random stream of the planner, from 0", optional=True),
        Column("problem", "int", "number of the problem; the same number is the same problem for every planner"),
        Column(
            "episode", "int", "index of the held-out episode that the start comes from, unless stitched the goal too"
        ),
        Column("start_row", "int", "row of the start in that episode"),
        Column("goal_episode", "int", "of a stitched problem, the episode that the goal comes from", optional=True),
        Column("goal_row", "int", "of a stitched problem, the row of the goal in its episode", optional=True),
        Column(
            "known_steps", "int", "environment steps that recording or shortest way takes to the goal", optional=True
        ),
        Column("success", "bool", "whether the goal was met within the budget"),
        Column("steps_to_goal", "int", "environment steps to success, null where it was not reached", optional=True),
        Column("final_distance", "float", "task distance to the goal at the end, in `unit`"),
        Column("oracle_final_distance", "float", "the same problem's final distance by the oracle", optional=True),
        Column("plan_seconds", "float", "wall time of one plan of this problem", optional=True),
        Column("unit", "string", "unit of the distances"),
        Column("path", "points", "executed path, points (x, y), one a step and the start", optional=True),
        Column("planned_path", "points", "path (x, y) that the first plan was expected to take", optional=True),
        Column("goal_point", "point", "the goal (x, y), in the coordinates of `path`", optional=True),
        Column(
            "frame_extent", "point", "path coordinates of the frame's edges: left, right, bottom, top", optional=True
        ),
        Column("start_state", "string", "JSON object: quantity to list of numbers", optional=True),
        Column("goal_state", "string", "JSON object: quantity to list of numbers", optional=True),
        Column("start_frame", "bytes", "PNG", optional=True),
        Column("goal_frame", "bytes", "PNG", optional=True),
    ),
)

FILMS = Table(
    "films",
    (
        Column("split", "string", "split that the problem was drawn from"),
        Column("protocol", "string", "named and versioned planning set-up"),
        Column("planner", "string", "label of the planner that is filmed"),
        Column("seed", "int", "seed of the evaluation"),
        Column("goal", "string", "kind of goal"),
        Column("offset", "int", "environment steps from start to goal, of stitched problems at most"),
        Column("problem", "int", "number of the problem, as in `episodes`"),
        Column("success", "bool", "whether the goal was met within the budget"),
        Column("source", "string", "scene: what was done; goal: the goal's frame, of which there is one"),
        Column("step", "int", "environment step of the frame"),
        Column("frame", "bytes", "PNG"),
        Column("planned_path", "points", "path (x, y) that the first plan was expected to take", optional=True),
        Column(
            "frame_extent", "point", "path coordinates of the frame's edges: left, right, bottom, top", optional=True
        ),
    ),
)

REFERENCES = {"planner": ("random", "demonstration", "oracle")}
"""They tell what a figure is worth and are no merit of the model."""
REGRET = {"metric": "regret", "quantity": "final_distance"}
ORACLE = {"planner": ("oracle",)}
"""Its regret is zero by definition."""

TABLES = (EPISODES, FILMS)
HEADLINES = (
    HeadlineFigure(
        "success",
        "success_rate",
        "goals reached, {goal}",
        by=("goal", "offset", "planner"),
        references=REFERENCES,
        marks=("privileged",),
        percent=True,
        order=10,
    ),
    HeadlineFigure(
        "regret",
        "regret",
        "regret, {goal}",
        by=("goal", "offset", "planner"),
        where={"quantity": "final_distance"},
        without=ORACLE,
        references=REFERENCES,
        marks=("privileged",),
        track=None,
        less_is_better=True,
        order=40,
    ),
)

SUCCESS = {"title": "goals reached, %", "percent": True}
LOST = {"title": "regret, {unit}"}
FIGURES = {
    "success_rate": "goals reached",
    "success_given_oracle": "of those that the oracle reaches",
    "regret success": "regret, success",
    "regret final_distance": "regret, distance",
    "normalised_regret success": "normalised regret, success",
    "normalised_regret final_distance": "normalised regret, distance",
    "spl": "SPL",
    "steps_to_goal": "steps to goal",
    "plan_seconds": "seconds a decision",
}
"""Titles of the table's figures, in their order."""
READ_SECONDS = (
    "Each point is a planner; one without a name says it where the pointer rests. The line joins what was best in at "
    "most that time, of each planner that was varied or else of all. Level lines within the frame are references, "
    "whose time is not the model's."
)
READ_TABLE = (
    "The best first, references last; small: 95 % intervals. Regret: what is lost against the oracle, in success and "
    "in distance; normalised: 0 the oracle, 1 the random policy. SPL: success weighted by the shortest known number of "
    "steps over those taken. Steps to goal: of the problems that were solved, n of them."
)

SECTION = Section(
    "Planning",
    charts=(
        Chart(
            "planner_bars",
            where={"metric": "success_rate"},
            heading="Goals reached",
            reading="Lines are 95 % intervals. Random acts blindly, the oracle plans in the true world, the "
            "demonstration repeats what was recorded; every other planner plans in the model's latents, and a "
            "privileged one knows states besides that no camera shows.",
            options=SUCCESS,
        ),
        Chart(
            "planner_bars",
            where=REGRET,
            without=ORACLE,
            heading="Planning regret",
            reading="How much farther from the goal an episode ends than the oracle's on the same problem; less is "
            "better.",
            options=LOST,
        ),
        Chart(
            "planner_lines",
            where={"metric": "success_rate"},
            heading="Goals reached by how far they are",
            reading="Environment steps that the recording took from start to goal. Lines are 95 % intervals.",
            options={**SUCCESS, "x": "offset", "x_label": "steps ahead"},
        ),
        Chart(
            "planner_lines",
            where=REGRET,
            without=ORACLE,
            heading="Planning regret by how far goals are",
            reading="Less is better.",
            options={**LOST, "x": "offset", "x_label": "steps ahead"},
        ),
        Chart(
            "quality_by_seconds",
            where={"metric": "success_rate"},
            heading="Goals reached against compute",
            reading=READ_SECONDS,
            options=SUCCESS,
        ),
        Chart(
            "quality_by_seconds",
            where=REGRET,
            without=ORACLE,
            heading="Planning regret against compute",
            reading=READ_SECONDS,
            options={**LOST, "least": True},
        ),
        Chart(
            "figure_table",
            without={"metric": ("final_distance", "regret_to_demonstration")},
            heading="Planners in figures",
            reading=READ_TABLE,
            options={
                "groups": ("split", "goal", "offset"),
                "rows": ("planner",),
                "figures": FIGURES,
                "percent": ("success_rate", "success_given_oracle", "regret success"),
                "sort": ("-success_rate", "regret final_distance"),
                "references": REFERENCES["planner"],
                "marks": ("privileged",),
            },
        ),
        Chart(
            "path_scenes",
            table="episodes",
            without=REFERENCES,
            reading="Blue: the path taken, from the dot. Orange, dashed: where the first plan expected to go. "
            "Ring: the goal, whose frame shines through the first one.",
        ),
        Chart(
            "films",
            table="films",
            heading="Films",
            reading="Left what was done, frame by frame until the goal was met or the budget was over; right the goal. "
            "Orange, dashed: where the first plan expected to go. The first problems of each kind that were reached, "
            "and the first that were missed.",
        ),
    ),
    missing="No planning was evaluated in this run.",
    order=20,
)
