"""What planning geometry leaves for the report: curves by distance, its headline figures, its section."""

from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table, interval

CURVES = Table(
    "geometry",
    (
        Column("split", "string", "split of the episodes"),
        Column("protocol", "string", "named and versioned set-up"),
        Column("seed", "int", "seed of the evaluation"),
        Column("against", "string", "true: task distance; geodesic: length of the shortest way"),
        Column("pairs", "string", "all pairs of frames, those across a wall, or those on one side of it"),
        Column("distance", "float", "middle of the bin, in `unit`"),
        Column("latent_distance", "float", "mean distance of latents, in units of that of all pairs"),
        *interval(over="over episodes"),
        Column("unit", "string", "unit of the distance"),
    ),
)

TABLES = (CURVES,)
HEADLINES = (
    HeadlineFigure(
        "distance_rank_correlation",
        "distance_rank_correlation",
        "latent and {quantity} distance, Spearman",
        by=("quantity",),
        track=(-1.0, 1.0),
        order=63,
    ),
    HeadlineFigure(
        "monotone_share",
        "monotone_share",
        "paths with falling latent distance",
        where={"quantity": "approaching"},
        percent=True,
        order=64,
    ),
    HeadlineFigure(
        "wall_ratio",
        "wall_ratio",
        "latent distance across a wall, ratio",
        track=None,
        less_is_better=None,
        order=65,
    ),
)

SECTION = Section(
    "Planning geometry",
    charts=(
        Chart(
            "lines",
            table="geometry",
            heading="Latent against true distance",
            reading="A straight rising line is what a planner wants; where the curve turns flat, latents no longer say "
            "how far the goal is, and where it falls they mislead. Geodesic: the length of the shortest way round "
            "walls. Where latents know of a wall, pairs across it lie above the others by true distance, and on "
            "the line of the others by the geodesic one.",
            options={
                "x": "distance",
                "y": "latent_distance",
                "series": "pairs",
                "panel": "against",
                "panel_title": "{} distance",
                "x_label": "distance, {unit}",
                "y_label": "latent distance, 1: mean of all pairs",
            },
        ),
        Chart(
            "figure_table",
            heading="Planning geometry in figures",
            reading="Spearman over pairs of frames of one episode; the share of recorded paths, all and those that do "
            "approach their end, along which the latent distance to the end falls from frame to frame; and the ratio "
            "of latent distances across a wall to those on one side at the same true distance (above 1: latents know "
            "of the wall).",
            options={
                "rows": ("split",),
                "figures": {
                    "distance_rank_correlation true": "Spearman, true distance",
                    "distance_rank_correlation geodesic": "Spearman, geodesic distance",
                    "monotone_share all": "falling paths",
                    "monotone_share approaching": "falling paths, approaching",
                    "wall_ratio": "wall ratio",
                },
                "percent": ("monotone_share all", "monotone_share approaching"),
            },
        ),
    ),
    order=63,
)
