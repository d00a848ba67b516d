"""What surprise leaves for the report: a row a frame, a row a strength, its headline figures, its section."""

from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table, interval

STEPS = Table(
    "steps",
    (
        Column("split", "string", "split of the episode"),
        Column("protocol", "string", "named and versioned surprise set-up"),
        Column("seed", "int", "seed of the evaluation"),
        Column("shift", "string", "the perturbation; rows with perturbed = false are its controls"),
        Column("strength", "float", "strength of the perturbation, in its own unit", optional=True),
        Column("episode", "int", "index of the held-out episode"),
        Column("perturbed", "bool", "whether the event happened in this rollout"),
        Column("step", "int", "environment step of the frame that was predicted"),
        Column("event_step", "int", "first step that shows the event (or would, in a control)"),
        Column("surprise", "float", "squared error of the predicted latent, averaged over dimensions"),
        Column("frame", "bytes", "PNG of the frame, for a few episodes", optional=True),
        Column("normalised", "float", "surprise in standard deviations of what is usual at that frame", optional=True),
    ),
)

DOSES = Table(
    "doses",
    (
        Column("split", "string", "split of the episodes"),
        Column("protocol", "string", "named and versioned surprise set-up"),
        Column("seed", "int", "seed of the evaluation"),
        Column("shift", "string", "the perturbation"),
        Column("principle", "string", "the principle that it breaks: continuity, immutability, permanence …"),
        Column("physical", "bool", "whether it changes what moves how; false where it changes the looks alone"),
        Column("score", "string", "raw surprise, or normalised by what is usual at that frame"),
        Column("blocks_ahead", "int", "action blocks ahead at which the event's frame was predicted"),
        Column("strength", "float", "strength of the perturbation; 0: the untouched episodes"),
        Column("strength_unit", "string", "unit of the strength"),
        Column("alarm_frames", "int", "frames from the event's on in which an alarm counts as noticing it"),
        Column("n", "int", "episodes that were struck"),
        Column("auroc", "float", "area under the ROC curve of struck against untouched episodes"),
        *interval("auroc_low", "auroc_high"),
        Column("detection_rate", "float", "share of events that raised an alarm; null: no threshold", optional=True),
        *interval("detection_low", "detection_high"),
    ),
)

ONE_STEP = {"score": ("raw", ""), "blocks_ahead": ("1", "")}
"""Figures of raw one-step surprise; rows of earlier versions do not say so."""
FEW = ("teleport", "recolour")
"""Perturbations that nearly every world has: one that is physical, and one that is merely visual."""

TABLES = (STEPS, DOSES)
HEADLINES = (
    HeadlineFigure(
        "auroc",
        "auroc",
        "surprise at {shift}, AUROC",
        by=("shift",),
        where={"shift": FEW, **ONE_STEP},
        constants={"chance": 0.5},
        track=(0.5, 1.0),
        order=30,
    ),
    HeadlineFigure(
        "half_noticed",
        "half_noticed_strength",
        "half of the events noticed from, {shift}",
        by=("shift",),
        where={"shift": FEW[:1], **ONE_STEP},
        track=None,
        less_is_better=True,
        order=31,
    ),
    HeadlineFigure(
        "false_alarms",
        "false_alarm_rate",
        "false alarms of surprise",
        where=ONE_STEP,
        track=None,
        less_is_better=True,
        order=32,
    ),
    HeadlineFigure(
        "surprise_recorded",
        "surprise_recorded",
        "one-step surprise on recorded frames",
        less_is_better=None,
        order=33,
    ),
)

FIGURES = {
    "auroc": "AUROC",
    "pairwise_accuracy": "twins told apart",
    "effect_size": "effect size",
    "detection_rate": "noticed at once",
    "detected_in_episode": "noticed in the episode",
    "detection_delay": "delay",
}
"""Titles of the table's figures, in their order."""
MEANS = ("surprise_before", "surprise_at", "surprise_after", "surprise_control")
OF_ALL = ("threshold", "false_alarm_rate", "surprise_recorded")

SECTION = Section(
    "Surprise",
    charts=(
        Chart(
            "surprise_curves",
            table="steps",
            heading="Surprise over time",
            reading="Geometric means over episodes with 95 % bands; grey: the same episodes untouched, orange: with a "
            "physical perturbation, blue: with a merely visual one. The dotted line is the threshold of an alarm, over "
            "which one frame in a hundred lies where nothing happens, if the protocol says no other rate. A model of "
            "the world is surprised by what cannot happen in it.",
        ),
        Chart(
            "dose_response",
            table="doses",
            where=ONE_STEP,
            heading="How strong an event must be to be noticed",
            reading="Share of events that raise an alarm, by strength; at strength 0 these are false alarms. Lines are "
            "95 % intervals. The dashed line falls where half of the events are noticed.",
        ),
        Chart(
            "figure_table",
            where={"score": ONE_STEP["score"]},
            without={"metric": (*MEANS, *OF_ALL, "half_noticed_strength", "wilcoxon_p"), "shift": ("",)},
            heading="Perturbations in figures",
            reading="Struck against untouched episodes at the event's frame; small: 95 % intervals. Effect size: the "
            "matched-pairs rank-biserial correlation, 1 where each struck episode is the more surprising one of its "
            "pair. Delay: from the event to the first alarm, of the events that raise one. Those that are not "
            "marked as physical are merely visual.",
            options={
                "groups": ("split", "blocks_ahead"),
                "rows": ("shift",),
                "marks": ("physical",),
                "columns": ("metric",),
                "figures": FIGURES,
                "percent": ("detection_rate", "detected_in_episode", "pairwise_accuracy"),
                "sort": ("-auroc",),
            },
        ),
    ),
    missing="No surprise was evaluated in this run.",
    order=30,
)
