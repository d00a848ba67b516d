"""The figures of `identifiability` on the page, laid out as the paper's."""

from jepa.evaluation.declarations import Chart, Section
from jepa.studies.identifiability.mixings import MIXINGS

TABLE = "study_identifiability"


def _lines(experiment: str, metric: str, heading: str, reading: str, options: dict[str, object], **where: str) -> Chart:
    """Returns lines over seeds of one metric of one experiment."""
    rows = {"experiment": experiment, "metric": metric, **where}
    return Chart("seed_lines", TABLE, rows, heading=heading, reading=reading, options=options)


SECTION = Section(
    "Identifiability",
    (
        _lines(
            "scaling",
            "r2",
            "Recovery by dimension",
            "R² of the state from the latents behind a coupling; 1 is a linear image of the state.",
            {"x": "dim", "series": "objective", "log_x": True, "y_label": "R²"},
        ),
        _lines(
            "scaling",
            "orthogonality_rescaled",
            "Orthogonality by dimension",
            "0 where the linear map from state to latents is a rotation times one factor.",
            {"x": "dim", "series": "objective", "log_x": True, "y_label": "‖AᵀA - I‖ / √n"},
        ),
        *(
            _lines(
                "latents",
                "r2",
                f"Recovery by distribution, {mixing}",
                "α is the shape of the state's distribution: 2 is Gaussian, where the peak should be.",
                {"x": "alpha", "series": "objective", "log_x": True, "y_label": "R²"},
                mixing=mixing,
            )
            for mixing in MIXINGS
        ),
        Chart(
            "scatter",
            "study_identifiability_bounds",
            heading="Bound and distance to the closest rotation",
            reading="The bound breaks where the error is above it; it is a theorem for Gaussian states (alpha 2) only.",
            options={"x": "bound", "y": "error", "panel": "latents"},
        ),
        Chart(
            "heat_map",
            "study_identifiability_grid",
            heading="Recovery over λ and ρ",
            reading="R² of the state from the latents, mean over seeds.",
            options={"x": "rho", "y": "weight", "value": "r2"},
        ),
        _lines(
            "rates",
            "r2_fast",
            "Recovery of the fast coordinate",
            "Below the square of the slow one's ρ (.9025 for .95) its place is taken by a square of the slow one.",
            {"x": "rho_fast", "y_label": "R²"},
        ),
        _lines(
            "actions",
            "control_cost_ratio",
            "Cost of control in latents",
            "Cost of linear-quadratic control on latents over that on states; 1 is no loss.",
            {"x": "dim", "y_label": "ratio of costs"},
        ),
    ),
)
