"""The report tables: what each column means, its type, and whether it may be empty.

Every file of a table holds every column in this order, whatever the rows brought along. A reader that took the first
file's schema for all would lose a column silently, so the schema is fixed here and carries a version.
"""

from dataclasses import dataclass

import pyarrow as pa

from jepa.core.errors import InputError

SCHEMA_VERSION = 1
"""Raised whenever a column is added, removed or changes its meaning."""


class SchemaError(ValueError):
    """Rows or files that do not fit the schema: the code that wrote them and this one disagree."""


Point = pa.list_(pa.float64())


@dataclass(frozen=True)
class Column:
    """One column; `optional` ones may be left out of a row and are null then."""

    name: str
    type: pa.DataType
    meaning: str
    optional: bool = False

    def field(self) -> pa.Field:
        """Returns the Arrow field, with the meaning as its metadata so that the file explains itself."""
        return pa.field(self.name, self.type, nullable=self.optional, metadata={"meaning": self.meaning})


CONTEXT_COLUMNS = (
    Column("run", pa.string(), "id of the run that wrote the row"),
    Column("model", pa.string(), "name of the model in the store"),
    Column("dataset", pa.string(), "name of the dataset in the store"),
    Column("world", pa.string(), "registered name of the world"),
)
"""Open every table; the writer fills them in from the run's context."""

PROVENANCE_COLUMNS = (
    Column("code_version", pa.string(), "version of the code that computed the row"),
    Column("created_at", pa.timestamp("us", tz="UTC"), "when the unit of work was written"),
    Column("schema_version", pa.int64(), "version of this schema"),
)
"""Close every table; the writer fills them in too."""

METRICS = (
    Column("split", pa.string(), "train, validation, test or unseen"),
    Column("evaluation", pa.string(), "probing, planning, surprise, latent, decoding or training"),
    Column("protocol", pa.string(), "named and versioned set-up of the evaluation"),
    Column("planner", pa.string(), "planning: cem, random, oracle …", optional=True),
    Column("probe", pa.string(), "probing: linear or mlp; decoding: decoder or mean_frame", optional=True),
    Column("seed", pa.int64(), "seed of the evaluation"),
    Column("shift", pa.string(), "surprise: the perturbation", optional=True),
    Column("strength", pa.float64(), "strength of the perturbation", optional=True),
    Column("quantity", pa.string(), "what was probed or decoded, or regretted: a physical quantity …", optional=True),
    Column("goal", pa.string(), "planning: kind of goal, uniform or cross_room …", optional=True),
    Column("metric", pa.string(), "pearson_r, r2, mse, success_rate, regret, final_distance, plan_seconds, auroc …"),
    Column("value", pa.float64(), "the figure"),
    Column("n", pa.int64(), "samples behind the figure; intervals are over whole episodes"),
    Column("ci_low", pa.float64(), "lower end of the 95 % interval", optional=True),
    Column("ci_high", pa.float64(), "upper end of the 95 % interval", optional=True),
    Column("unit", pa.string(), "unit of the figure; 1 for a ratio"),
    Column("seconds", pa.float64(), "wall time of the unit of work", optional=True),
)

EPISODES = (
    Column("split", pa.string(), "split that the problem was drawn from"),
    Column("protocol", pa.string(), "named and versioned planning set-up"),
    Column("planner", pa.string(), "cem, random, oracle …"),
    Column("seed", pa.int64(), "seed of the evaluation"),
    Column("goal", pa.string(), "kind of goal"),
    Column("problem", pa.int64(), "number of the problem; the same number is the same problem for every planner"),
    Column("episode", pa.int64(), "index of the held-out episode that start and goal come from"),
    Column("start_row", pa.int64(), "row of the start in that episode"),
    Column("success", pa.bool_(), "whether the goal was met within the budget"),
    Column("final_distance", pa.float64(), "task distance to the goal at the end, in `unit`"),
    Column("oracle_final_distance", pa.float64(), "the same problem's final distance by the oracle", optional=True),
    Column("plan_seconds", pa.float64(), "wall time of one plan of this problem", optional=True),
    Column("unit", pa.string(), "unit of the distances"),
    Column("path", pa.list_(Point), "executed path, points (x, y), one a step and the start", optional=True),
    Column("planned_path", pa.list_(Point), "path (x, y) that the first plan was expected to take", optional=True),
    Column("goal_point", Point, "the goal (x, y), in the coordinates of `path`", optional=True),
    Column("frame_extent", Point, "path coordinates of the frame's edges: left, right, bottom, top", optional=True),
    Column("start_state", pa.string(), "JSON object: quantity to list of numbers", optional=True),
    Column("goal_state", pa.string(), "JSON object: quantity to list of numbers", optional=True),
    Column("start_frame", pa.binary(), "PNG", optional=True),
    Column("goal_frame", pa.binary(), "PNG", optional=True),
)

STEPS = (
    Column("split", pa.string(), "split of the episode"),
    Column("protocol", pa.string(), "named and versioned surprise set-up"),
    Column("seed", pa.int64(), "seed of the evaluation"),
    Column("shift", pa.string(), "the perturbation; rows with perturbed = false are its controls"),
    Column("strength", pa.float64(), "strength of the perturbation", optional=True),
    Column("episode", pa.int64(), "index of the held-out episode"),
    Column("perturbed", pa.bool_(), "whether the event happened in this rollout"),
    Column("step", pa.int64(), "environment step of the frame that was predicted"),
    Column("event_step", pa.int64(), "first step that shows the event (or would, in a control)"),
    Column("surprise", pa.float64(), "squared error of the predicted latent, averaged over dimensions"),
    Column("frame", pa.binary(), "PNG of the frame, for a few episodes", optional=True),
)

PREDICTIONS = (
    Column("split", pa.string(), "split of the episode"),
    Column("protocol", pa.string(), "named and versioned probing set-up"),
    Column("seed", pa.int64(), "seed of the evaluation"),
    Column("probe", pa.string(), "linear or mlp"),
    Column("quantity", pa.string(), "the physical quantity"),
    Column("dimension", pa.int64(), "dimension of the quantity, from 0"),
    Column("unit", pa.string(), "unit of both values"),
    Column("episode", pa.int64(), "index of the held-out episode"),
    Column("step", pa.int64(), "environment step of the frame"),
    Column("target", pa.float64(), "true value"),
    Column("predicted", pa.float64(), "what the probe reads from the latent"),
)

PICTURES = (
    Column("split", pa.string(), "split of the episode"),
    Column("protocol", pa.string(), "named and versioned decoding set-up"),
    Column("seed", pa.int64(), "seed of the evaluation"),
    Column("episode", pa.int64(), "index of the held-out episode"),
    Column("source", pa.string(), "true, encoded (drawn from the frame's latent) or imagined from the first frame"),
    Column("step", pa.int64(), "environment step of the frame"),
    Column("frame", pa.binary(), "PNG"),
)

TRAINING = (
    Column("seed", pa.int64(), "seed of the training"),
    Column("step", pa.int64(), "optimiser step, from 1"),
    Column("metric", pa.string(), "a logged figure: loss, prediction, sigreg, lambda, effective_rank, learning_rate …"),
    Column("value", pa.float64(), "the figure at that step"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "metrics": METRICS,
    "episodes": EPISODES,
    "steps": STEPS,
    "predictions": PREDICTIONS,
    "pictures": PICTURES,
    "training": TRAINING,
}
"""The columns that a row of each table brings; context and provenance come on top."""


def row_columns(table: str) -> tuple[Column, ...]:
    """Returns the columns that the rows of a table bring themselves.

    Raises:
        InputError: there is no such table; the message lists them.
    """
    if table not in TABLES:
        raise InputError(f"report table {table!r} is not known; choose one of: {', '.join(TABLES)}")
    return TABLES[table]


def table_schema(table: str) -> pa.Schema:
    """Returns the fixed Arrow schema of a table.

    Raises:
        InputError: there is no such table.
    """
    columns = (*CONTEXT_COLUMNS, *row_columns(table), *PROVENANCE_COLUMNS)
    metadata = {"table": table, "schema_version": str(SCHEMA_VERSION)}
    return pa.schema([column.field() for column in columns], metadata=metadata)
