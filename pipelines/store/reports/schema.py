"""The report tables: what each column means, its type, and whether it may be empty.

`metrics`, `training` and `claims` stand here; a table with finer rows is declared by the evaluation that fills it, and
the tables of a study by the study. Every file of a table holds every column in this order, whatever the rows brought
along: a reader that took the first file's schema for all would lose a column silently. A file that was written before
an optional column was added reads as null there.
"""

import pyarrow as pa

from jepa.core.errors import InputError
from jepa.evaluation.declarations import Column, interval
from jepa.evaluation.evaluation import EVALUATIONS, declared
from jepa.studies.study import STUDIES, study_of_table
from pipelines.store.reports.version import SCHEMA_VERSION

ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "bytes": pa.binary(),
    "time": pa.timestamp("us", tz="UTC"),
    "point": pa.list_(pa.float64()),
    "points": pa.list_(pa.list_(pa.float64())),
}


class SchemaError(ValueError):
    """Rows or files that do not fit the schema: the code that wrote them and this one disagree."""


CONTEXT_COLUMNS = (
    Column("run", "string", "id of the run that the unit of work was done for; other runs may list the unit too"),
    Column("model", "string", "name of the model in the store"),
    Column("model_digest", "string", "digest of the model's weights and configuration", optional=True),
    Column("dataset", "string", "name of the dataset in the store"),
    Column("dataset_version", "int", "version of the dataset", optional=True),
    Column("dataset_digest", "string", "digest of that version's content", optional=True),
    Column("world", "string", "registered name of the world"),
    Column("protocol_digest", "string", "digest of the settings under which the rows were made", optional=True),
    Column("evaluation_version", "int", "version that the evaluation declares of itself", optional=True),
    Column("problems_digest", "string", "digest of the manifest of planning problems that were solved", optional=True),
    Column("training_step", "int", "step of the training whose checkpoint was judged; null: a finished model", True),
    Column("factor", "string", "what was other in the dataset than in training; null: nothing", optional=True),
    Column("factor_value", "float", "value of that factor, in the world's unit", optional=True),
)
"""Open every table; the writer fills them in from the unit's context. Older code did not write the optional ones."""

PROVENANCE_COLUMNS = (
    Column("code_version", "string", "version of the code that computed the row"),
    Column("created_at", "time", "when the unit of work was written"),
    Column("schema_version", "int", "version of this schema"),
)
"""Close every table; the writer fills them in too."""

METRICS = (
    Column("split", "string", "train, validation, test or unseen"),
    Column("evaluation", "string", "kind of evaluation: probing, planning, surprise, latent, decoding …, or training"),
    Column("protocol", "string", "named and versioned set-up of the evaluation"),
    Column("planner", "string", "planning: cem, random, oracle …", optional=True),
    Column(
        "privileged", "bool", "planning: whether it knows states that no camera shows, or what comes", optional=True
    ),
    Column("probe", "string", "probing: linear or mlp; decoding: decoder or mean_frame", optional=True),
    Column("seed", "int", "seed of the evaluation"),
    Column("shift", "string", "surprise: the perturbation", optional=True),
    Column("strength", "float", "strength of the perturbation, in its own unit", optional=True),
    Column("quantity", "string", "what was probed or decoded, or regretted: a physical quantity …", optional=True),
    Column("goal", "string", "planning: kind of goal, uniform or cross_room …", optional=True),
    Column("offset", "int", "planning: environment steps from start to goal in the recorded episode", optional=True),
    Column("success_kind", "string", "planning: the test of success, usual, moderate or strict …", optional=True),
    Column(
        "latents",
        "string",
        "probing: what was read, encoder, prediction, pixels_pca, untrained or state",
        optional=True,
    ),
    Column("frames", "int", "probing: frames, an action block apart, that were read together", optional=True),
    Column("blocks_ahead", "int", "action blocks that a prediction is ahead of what was seen", optional=True),
    Column("settings", "string", "probing: hyper-parameters of the probe as JSON", optional=True),
    Column("score", "string", "surprise: raw, or normalised by what is usual at that frame", optional=True),
    Column("principle", "string", "surprise: the principle that the perturbation breaks", optional=True),
    Column("physical", "bool", "surprise: whether the perturbation changes more than the looks", optional=True),
    Column("metric", "string", "pearson_r, r2, mse, success_rate, regret, final_distance, plan_seconds, auroc …"),
    Column("value", "float", "the figure"),
    Column("n", "int", "samples behind the figure; intervals are over whole episodes"),
    Column("ci_low", "float", "lower end of the 95 % interval", optional=True),
    Column("ci_high", "float", "upper end of the 95 % interval", optional=True),
    Column("unit", "string", "unit of the figure; 1 for a ratio"),
    Column("seconds", "float", "wall time of the unit of work", optional=True),
)

TRAINING = (
    Column("seed", "int", "seed of the training"),
    Column("step", "int", "optimiser step, from 1"),
    Column("metric", "string", "a logged figure: loss, prediction, sigreg, lambda, effective_rank, learning_rate …"),
    Column("value", "float", "the figure at that step"),
)

CLAIMS = (
    Column("study", "string", "registered name of the study"),
    Column("preset", "string", "its grid by name; empty for a grid of one's own", optional=True),
    Column("paper", "string", "title of the paper that makes the claim", optional=True),
    Column("claim", "string", "short identifier of the claim"),
    Column("source", "string", "where the claim stands"),
    Column("sentence", "string", "the claim in our words"),
    Column("published", "string", "the published value"),
    Column("verdict", "string", "held, did not hold, not decided"),
    Column("found", "string", "our figures in words"),
    Column("value", "float", "the figure that decides", optional=True),
    *interval(),
    Column("n", "int", "seeds, or samples, behind the figure"),
    Column("cells_digest", "string", "digest of the cells that it was read off"),
)

SHIFTS = (
    Column("evaluation", "string", "kind of evaluation"),
    Column("protocol", "string", "named and versioned set-up of the evaluation"),
    Column("seed", "int", "seed of the evaluation"),
    Column("figure", "string", "headline figure: success, regret, r2, auroc …"),
    Column("label", "string", "the same in words, with what tells it apart"),
    Column("planner", "string", "planning: cem, random …", optional=True),
    Column("probe", "string", "probing: linear or mlp", optional=True),
    Column("shift", "string", "surprise: the perturbation", optional=True),
    Column("quantity", "string", "the quantity, where the figure is of one", optional=True),
    Column("goal", "string", "planning: kind of goal", optional=True),
    Column("offset", "int", "planning: environment steps from start to goal", optional=True),
    Column("unit", "string", "unit of the figures; 1 for a ratio"),
    Column("percent", "bool", "whether it reads best as a percentage"),
    Column("less_is_better", "bool", "whether a smaller figure is a better one"),
    Column("value", "float", "the figure under the shift"),
    *interval(),
    Column("n", "int", "samples behind it"),
    Column("usual_value", "float", "the same model's figure on the usual test episodes"),
    *interval("usual_ci_low", "usual_ci_high"),
    Column("usual_n", "int", "samples behind that"),
    Column("usual_dataset", "string", "the dataset that those are of, with its version"),
    Column("difference", "float", "value less usual value"),
    *interval("difference_low", "difference_high"),
    Column(
        "test",
        "string",
        "Fisher's exact, Welch's of means over problems, or the normal one of both intervals",
        optional=True,
    ),
    Column("p", "float", "probability of such a difference where there is none, for this cell alone", optional=True),
    Column("p_holm", "float", "the same, corrected by Holm for all cells of the command", optional=True),
    Column("cells", "int", "comparisons that were corrected for"),
    Column("oracle_value", "float", "the oracle's figure under the shift, where there is one", optional=True),
    Column("oracle_difference", "float", "less the oracle's usual figure: how much the problem changed", optional=True),
)

SHIFTS_TABLE = "shifts"
"""Holds nothing but what was judged under shifts."""

COMMON_TABLES: dict[str, tuple[Column, ...]] = {
    "metrics": METRICS,
    "training": TRAINING,
    "claims": CLAIMS,
    SHIFTS_TABLE: SHIFTS,
}
"""The tables that belong to no single evaluation or study."""


def tables() -> dict[str, tuple[Column, ...]]:
    """Returns the columns that a row of each table brings itself; context and provenance come on top.

    Those of studies are not among them: there are many, and each is found by its name (`row_columns`).

    Raises:
        InputError: two evaluations declare one name with different columns.
    """
    found = dict(COMMON_TABLES)
    for kind in EVALUATIONS:
        for table in declared(kind).tables:
            if found.setdefault(table.name, table.columns) != table.columns:
                raise InputError(
                    f"evaluation {kind!r} declares the table {table.name!r}, which another one declares with other "
                    "columns; rename it in one of them"
                )
    return found


def row_columns(table: str) -> tuple[Column, ...]:
    """Returns the columns that the rows of a table bring themselves.

    Raises:
        InputError: there is no such table; the message lists them.
    """
    known = COMMON_TABLES if table in COMMON_TABLES else tables_of_study(table) or tables()
    if table not in known:
        raise InputError(f"report table {table!r} is not known; choose one of: {', '.join(known)}")
    return known[table]


def tables_of_study(table: str) -> dict[str, tuple[Column, ...]]:
    """Returns the tables of the study that a table's name says it is of, none where it is of no study."""
    name = study_of_table(table)
    if name is None:
        return {}
    study = STUDIES.get(name)
    return {one.name: one.columns for one in (study.own_table(), *study.tables)}


def table_columns(table: str) -> tuple[Column, ...]:
    """Returns all columns of a table in their order.

    Raises:
        InputError: there is no such table.
    """
    return (*CONTEXT_COLUMNS, *row_columns(table), *PROVENANCE_COLUMNS)


def table_schema(table: str) -> pa.Schema:
    """Returns the Arrow schema of a table; each column's meaning is its metadata, so that a file explains itself.

    Raises:
        InputError: there is no such table.
    """
    fields = [
        pa.field(column.name, ARROW_TYPES[column.type], nullable=column.optional, metadata={"meaning": column.meaning})
        for column in table_columns(table)
    ]
    return pa.schema(fields, metadata={"table": table, "schema_version": str(SCHEMA_VERSION)})
