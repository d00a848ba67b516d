"""What probing leaves for the report: true and predicted values, its headline figures, its section."""

from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table

PREDICTIONS = Table(
    "predictions",
    (
        Column("split", "string", "split of the episode"),
        Column("protocol", "string", "named and versioned probing set-up"),
        Column("seed", "int", "seed of the evaluation"),
        Column("probe", "string", "linear or mlp"),
        Column("quantity", "string", "the physical quantity"),
        Column("dimension", "int", "dimension of the quantity, from 0"),
        Column("unit", "string", "unit of both values"),
        Column("episode", "int", "index of the held-out episode"),
        Column("step", "int", "environment step of the frame"),
        Column("target", "float", "true value"),
        Column("predicted", "float", "what the probe reads from the latent"),
    ),
)

HEADLINES = (HeadlineFigure("r2", "r2", "{probe} probe R²", by=("probe",), where={"quantity": "all"}, order=20),)
"""The figure over all quantities together has an interval of its own; a mean of theirs would not."""

SECTION = Section(
    "What the latents hold",
    charts=(
        Chart(
            "probe_scatter",
            table="predictions",
            heading="Read by probes",
            reading="Each dot is a held-out frame; on the line the probe reads it exactly. R² is that of the whole "
            "quantity, over all held-out frames.",
        ),
    ),
    missing="No probes were evaluated in this run.",
    order=10,
)
