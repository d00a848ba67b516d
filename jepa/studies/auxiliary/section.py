"""What the page shows of `auxiliary`, and the tables of single points that it is drawn from."""

from jepa.evaluation.declarations import Chart, Column, Section, Table

WORLD_MODEL_FIGURES = {
    "probe_r2": "R² of a linear probe",
    "regret": "planning regret",
    "goals_reached": "goals reached",
}
PICTURED = (
    Column("arm", "string", "what was minimised"),
    Column("observation", "string", "what was seen"),
    Column("transition", "string", "kind of transition and head"),
)
POINTS = Table(
    "study_auxiliary_points",
    (
        *PICTURED,
        Column("count", "int", "objects that the observation shows"),
        Column("x", "float", "first principal component, in units of the spread"),
        Column("y", "float", "second principal component"),
    ),
)
DISTANCES = Table(
    "study_auxiliary_distances",
    (
        *PICTURED,
        Column("count", "int", "objects"),
        Column("other_count", "int", "objects of the other centroid"),
        Column("distance", "float", "distance of the two centroids over the largest of any two"),
    ),
)
SECTION = Section(
    "Auxiliary tasks",
    (
        Chart(
            "scatter",
            POINTS.name,
            {"observation": "pixels", "transition": "linear"},
            heading="Latents of held-out frames",
            reading="First two principal components, coloured by count: equal counts should lie together.",
            options={"x": "x", "y": "y", "panel": "arm", "colour": "count"},
        ),
        Chart(
            "heat_map",
            DISTANCES.name,
            {"observation": "pixels", "transition": "linear"},
            heading="Distances of the counts' centroids",
            reading="Off the diagonal, a dark field is two counts that the latents hardly tell apart.",
            options={"x": "count", "y": "other_count", "value": "distance", "series": "arm"},
        ),
        *(
            Chart(
                "seed_bars",
                "study_auxiliary",
                {"experiment": "world_model", "metric": metric},
                heading=f"LeWM on Two-Room with a distractor, {words}",
                reading="With the auxiliary head and without; mean over seeds, with Student's 95 % interval.",
                options={"label": "head", "title": words, "panel": "quantity"},
            )
            for metric, words in WORLD_MODEL_FIGURES.items()
        ),
    ),
)
