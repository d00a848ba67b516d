"""What identifiability leaves for the report: its headline figures and its section."""

from jepa.evaluation.declarations import Chart, HeadlineFigure, Section, Table

TABLES: tuple[Table, ...] = ()
HEADLINES = (
    HeadlineFigure(
        "identifiability_r2",
        "linear_r2",
        "state from latent, linear R²",
        where={"quantity": "state_from_latent"},
        order=70,
    ),
    HeadlineFigure(
        "orthogonality",
        "orthogonality_error",
        "latents from a rotation of the state, 0 if one",
        track=None,
        less_is_better=True,
        order=71,
    ),
    HeadlineFigure(
        "rotation_error",
        "rotation_error",
        "squared distance from a rotation",
        where={"quantity": "measured"},
        track=None,
        less_is_better=True,
        order=72,
    ),
)


def _bars(metric: str, heading: str, reading: str) -> Chart:
    return Chart(
        "bars",
        where={"metric": metric},
        heading=heading,
        reading=reading,
        options={"label": "quantity", "title": heading.lower()},
    )


SECTION = Section(
    "Are the latents the world's own state?",
    charts=(
        _bars(
            "linear_r2",
            "Linear R² both ways",
            "Affine maps fitted to training frames. The state may be in the latents though these hold more than it.",
        ),
        _bars(
            "rotation_error",
            "Squared distance from a rotation",
            "In the subspace of the latents in which the state lies, scaled by one factor. Theorem 5.3's bound is one "
            "for a Gaussian, stationary world alone; the charts below say how far the data are from it.",
        ),
        _bars(
            "lag_correlation",
            "Correlation of a frame and the next",
            "The theorem takes one for all dimensions. Different rates can be separated where the least is above "
            "the square of the largest.",
        ),
        _bars(
            "noise_ratio",
            "Transition noise over that of the theorem's world",
            "Variance of z' - ρz over 1 - ρ²; 1 in a stationary linear world.",
        ),
        _bars("excess_kurtosis", "Excess kurtosis of the state", "0 for a Gaussian, -1.2 for a uniform distribution."),
        _bars(
            "start_end_gap",
            "Distance between first and last frames' distributions",
            "Kolmogorov-Smirnov distance over episodes; 0 where the data are stationary.",
        ),
    ),
    order=12,
)
