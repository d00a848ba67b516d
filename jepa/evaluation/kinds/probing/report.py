"""What probing leaves for the report: true and predicted values, its headline figures, its section."""

from collections.abc import Mapping
from typing import Any

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

ONE_FRAME = {"frames": ("1", "")}
"""Figures of single frames; rows of earlier versions do not say so."""
MAIN = {"latents": ("encoder", ""), **ONE_FRAME}
"""Figures of the encoder's latents of single frames."""

TABLES = (PREDICTIONS,)
HEADLINES = (
    HeadlineFigure(
        "r2",
        "r2",
        "{probe} probe R²",
        by=("probe",),
        where={"quantity": "all", **ONE_FRAME},
        without={"latents": ("prediction", "state")},
        references={"latents": ("pixels_pca", "untrained")},
        order=20,
    ),
    HeadlineFigure(
        "prediction_r2",
        "r2",
        "{probe} probe R², {blocks_ahead}",
        title="probe R² of predictions",
        by=("probe", "blocks_ahead"),
        where={"quantity": "all", "latents": "prediction"},
        last="blocks_ahead",
        order=21,
    ),
)
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
        Chart(
            "prediction_lines",
            where={"metric": "r2"},
            heading="Read from predictions",
            reading="Latents that the model predicts without a look, read by the probes of the encoder's latents and "
            "held against the state that far ahead; 0 is the encoder itself, on the same frames. Where the lines stay "
            "level, predictions mean what frames mean. Dashed: the linear probe on baselines. The axis is logarithmic "
            "in what R² lacks of 1.",
        ),
        Chart(
            "figure_table",
            where={"quantity": "all"},
            heading="What was read, and how well",
            reading="All quantities together. Baselines and predictions are judged on the same frames; the encoder's "
            "first rows on all that were drawn. Pixels are reduced to as many principal components as a latent has "
            "dimensions, and of the state itself R² is 1. Quantities that only several frames show count there alone.",
            options={
                "rows": ("latents", "frames", "blocks_ahead", "probe"),
                "groups": ("split",),
                "references": ("pixels_pca", "untrained", "state"),
                "columns": ("metric",),
                "figures": {"r2": "R²", "mse": "error, in variances", "pearson_r": "Pearson's r"},
            },
        ),
    ),
    missing="No probes were evaluated in this run.",
    order=10,
)


def is_main(row: Mapping[str, Any]) -> bool:
    """Returns whether a row of `metrics` is of the encoder's latents of single frames."""
    return bool(row["latents"] == "encoder" and row["frames"] == 1)
