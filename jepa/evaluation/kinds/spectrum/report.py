"""What the spectrum leaves for the report: curves by rank, its headline figures, its section."""

from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table, interval

CURVES = Table(
    "spectrum",
    (
        Column("split", "string", "split of the episodes"),
        Column("protocol", "string", "named and versioned set-up"),
        Column("seed", "int", "seed of the evaluation"),
        Column("figure", "string", "correlation or regret"),
        Column("curve", "string", "what precedes the latent, the bound, or the goals of the measured regret"),
        Column("rank", "int", "number of the direction, or of the latent's dimensions that the bound is for"),
        Column("value", "float", "the figure"),
        *interval(over="over episodes"),
    ),
)

TABLES = (CURVES,)
HEADLINES = (
    HeadlineFigure(
        "predictable_dimensions",
        "predictable_dimensions",
        "predictable latent dimensions, estimate",
        where={"quantity": "with_action"},
        track=None,
        less_is_better=None,
        order=75,
    ),
    HeadlineFigure(
        "regret_bound",
        "regret_bound",
        "bound on regret in success, estimate",
        track=None,
        less_is_better=True,
        order=76,
    ),
    HeadlineFigure(
        "measured_regret",
        "measured_regret",
        "regret in success beside the bound, {goal}",
        by=("goal", "planner"),
        track=(0.0, 1.0),
        less_is_better=True,
        order=77,
    ),
)

SECTION = Section(
    "Spectrum and the bound on regret",
    charts=(
        Chart(
            "lines",
            table="spectrum",
            where={"figure": "correlation"},
            heading="Canonical correlations of successive latents",
            reading="How well each direction of the next latent follows from what precedes it: with the action, and "
            "from the latent alone. Directions are fitted to training episodes; an estimate from below.",
            options={"x": "rank", "series": "curve"},
        ),
        Chart(
            "lines",
            table="spectrum",
            where={"figure": "regret"},
            heading="Bound on regret, and regret",
            reading="2√(risk + tail) for a latent of so many dimensions, beside the regret that was measured of this "
            "model. What lies outside the latent is not in the bound, its premises do not hold exactly, and above 1 it "
            "says nothing.",
            options={"x": "rank", "series": "curve"},
        ),
    ),
    order=61,
)
