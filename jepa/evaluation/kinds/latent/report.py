"""What the description of the latent space leaves for the report: its headline figures and its section."""

from jepa.evaluation.declarations import Chart, HeadlineFigure, Section, Table

TABLES: tuple[Table, ...] = ()
HEADLINES = (
    HeadlineFigure(
        "effective_rank",
        "effective_rank",
        "effective rank of latents",
        track=None,
        less_is_better=None,
        order=60,
    ),
    HeadlineFigure(
        "straightness",
        "straightness",
        "straightness of trajectories",
        track=(-1.0, 1.0),
        less_is_better=None,
        order=61,
    ),
    HeadlineFigure(
        "sigreg",
        "sigreg",
        "SIGReg of 128 latents, 1 if Gaussian",
        track=None,
        less_is_better=None,
        order=62,
    ),
    HeadlineFigure(
        "gaussian_distance",
        "gaussian_distance",
        "distance of latent dimensions from Gaussian, mean",
        where={"quantity": "mean"},
        less_is_better=True,
        order=63,
    ),
)

SECTION = Section(
    "How the latents lie",
    charts=(
        Chart(
            "figure_table",
            heading="Shape of the latent space",
            reading="Rank: how many dimensions the latents make use of. Straightness: cosine of successive changes, "
            "1 on a line. SIGReg, of a batch of 128: about 1 for Gaussian latents. Distance from Gaussian: "
            "Kolmogorov-Smirnov distance of a dimension from the Gaussian of its mean and spread, 0 where it is one.",
            options={
                "rows": ("split",),
                "figures": {
                    "effective_rank": "effective rank",
                    "straightness": "straightness",
                    "sigreg": "SIGReg",
                    "gaussian_distance mean": "distance from Gaussian, mean dimension",
                    "gaussian_distance largest": "largest dimension's",
                },
            },
        ),
    ),
    order=11,
)
