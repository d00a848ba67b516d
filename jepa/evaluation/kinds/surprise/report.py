"""What surprise leaves for the report: a row for each frame of both replays, its headline figures, its section."""

from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table

STEPS = Table(
    "steps",
    (
        Column("split", "string", "split of the episode"),
        Column("protocol", "string", "named and versioned surprise set-up"),
        Column("seed", "int", "seed of the evaluation"),
        Column("shift", "string", "the perturbation; rows with perturbed = false are its controls"),
        Column("strength", "float", "strength of the perturbation", optional=True),
        Column("episode", "int", "index of the held-out episode"),
        Column("perturbed", "bool", "whether the event happened in this rollout"),
        Column("step", "int", "environment step of the frame that was predicted"),
        Column("event_step", "int", "first step that shows the event (or would, in a control)"),
        Column("surprise", "float", "squared error of the predicted latent, averaged over dimensions"),
        Column("frame", "bytes", "PNG of the frame, for a few episodes", optional=True),
    ),
)

HEADLINES = (
    HeadlineFigure(
        "auroc",
        "auroc",
        "surprise at {shift}, AUROC",
        by=("shift",),
        constants={"chance": 0.5},
        track=(0.5, 1.0),
        order=30,
    ),
    HeadlineFigure("surprise_recorded", "surprise_recorded", "one-step surprise on recorded frames", order=31),
)

SECTION = Section(
    "Surprise",
    charts=(
        Chart(
            "surprise_curves",
            table="steps",
            heading="Surprise over time",
            reading="Bands are 95 % intervals of the mean over episodes. A model of the world is surprised by what "
            "cannot happen in it.",
        ),
    ),
    missing="No surprise was evaluated in this run.",
    order=30,
)
