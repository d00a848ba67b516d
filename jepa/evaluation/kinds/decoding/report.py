"""What decoding leaves for the report: pictures of a few episodes, its headline figures, its section."""

from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table

PICTURES = Table(
    "pictures",
    (
        Column("split", "string", "split of the episode"),
        Column("protocol", "string", "named and versioned decoding set-up"),
        Column("seed", "int", "seed of the evaluation"),
        Column("episode", "int", "index of the held-out episode"),
        Column("source", "string", "true, encoded (drawn from the frame's latent) or imagined from the first frame"),
        Column("step", "int", "environment step of the frame"),
        Column("frame", "bytes", "PNG"),
    ),
)

LABEL = "decoded pictures, {quantity}, PSNR"
FLOOR = {"probe": ("mean_frame",)}
"""The mean training frame, the best picture that can be drawn without looking."""
DECIBELS = (10.0, 40.0)
"""Ends of the tile's bar: pictures with little in common, and pictures that look alike."""

TABLES = (PICTURES,)
HEADLINES = (
    HeadlineFigure(
        "psnr",
        "psnr",
        LABEL,
        by=("quantity", "probe"),
        where={"quantity": "encoded"},
        references=FLOOR,
        track=DECIBELS,
        order=50,
    ),
    HeadlineFigure(
        "psnr",
        "psnr",
        LABEL,
        by=("quantity", "probe"),
        without={"quantity": ("encoded",)},
        last="quantity",
        references=FLOOR,
        track=DECIBELS,
        order=50,
    ),
)

SECTION = Section(
    "What the model imagines",
    charts=(
        Chart(
            "decoding_curves",
            where={"metric": "psnr"},
            heading="Pictures drawn from latents",
            reading="How near the drawn pictures come to the true ones; higher is better. What the decoder cannot draw "
            "of an encoded frame is lost in the latent, or on the decoder; what falls off from there is lost in the "
            "imagination.",
        ),
        Chart(
            "film_strips",
            table="pictures",
            heading="True, encoded and imagined",
            reading="A decoder fitted to frozen latents of training frames draws them; the model itself never learned "
            "to draw. Imagined: only the first frame was seen, the rest is predicted from the same actions.",
        ),
    ),
    order=40,
)
