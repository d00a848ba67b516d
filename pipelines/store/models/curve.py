"""The training curve: every logged figure, kept beside the model as `metrics.parquet` (step, metric, value)."""

import io
import uuid
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.store.models.manifest import ModelHandle

COLUMNS: list[tuple[str, pa.DataType]] = [("step", pa.int64()), ("metric", pa.string()), ("value", pa.float64())]
SECONDS = "training_seconds"
"""Metadata key of the wall time up to the curve's end."""
TRAINING = "training_id"
"""Metadata key of the curve's id."""


@dataclass
class Curve:
    """Logged figures in order of their steps, and the wall time that they took."""

    rows: list[dict[str, int | str | float]] = field(default_factory=list)
    seconds: float = 0.0
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    """of the training: kept by all its restarts, no other's"""

    def add(self, step: int, figures: dict[str, float]) -> None:
        """Appends the figures of one step."""
        self.rows += [{"step": step, "metric": metric, "value": value} for metric, value in figures.items()]

    def copy(self) -> "Curve":
        """Returns the curve as it is now, for a thread that writes it while this one grows."""
        return Curve(list(self.rows), self.seconds, self.id)


def read_curve(model: ModelHandle, last_step: int) -> Curve:
    """Returns the held curve up to a step: what came after it is trained, and logged, again."""
    try:
        table = pq.read_table(io.BytesIO(model.store.read(model.layout.curve)))
    except FileNotFoundError:
        return Curve()
    if not last_step:
        return Curve()
    metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    rows = [row for row in table.to_pylist() if row["step"] <= last_step]
    held = {"id": metadata[TRAINING]} if TRAINING in metadata else {}
    return Curve(rows, float(metadata.get(SECONDS, 0.0)), **held)


def write_curve(model: ModelHandle, curve: Curve) -> None:
    """Replaces the held curve."""
    schema = pa.schema(COLUMNS, metadata={SECONDS: repr(curve.seconds), TRAINING: curve.id})
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(curve.rows, schema=schema), sink)
    model.store.write(model.layout.curve, sink.getvalue())
