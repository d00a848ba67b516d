"""The training curve: every logged figure, kept beside the model as `metrics.parquet` (step, metric, value)."""

import logging
import uuid
from dataclasses import dataclass, field

import pyarrow as pa

from infra.errors import InfraError
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.parquet import open_parquet, parquet_bytes, read_parquet
from pipelines.store.sealed import read_if_there, sha256

COLUMNS: list[tuple[str, pa.DataType]] = [("step", pa.int64()), ("metric", pa.string()), ("value", pa.float64())]
SECONDS = "training_seconds"
"""Metadata key of the wall time up to the curve's end."""
DIGEST = "content_sha256"
"""Metadata key of the digest of all rows and of the other keys."""
TRAINING = "training_id"
"""Metadata key of the curve's id."""

log = logging.getLogger(__name__)


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
    """Returns the held curve up to a step: what came after it is trained, and logged, again.

    Raises:
        InfraError: it is damaged.
    """
    data = read_if_there(model.store, model.layout.curve)
    if data is None or not last_step:
        if last_step:
            log.warning(
                "%s is lost: the figures up to step %d are gone", model.store.address(model.layout.curve), last_step
            )
        return Curve()
    curve = parse_curve(data)
    if curve is None:
        raise InfraError(
            f"{model.store.address(model.layout.curve)} is damaged, the figures of a training; "
            f"delete it to lose them, or train model {model.name!r} again under another name"
        )
    curve.rows = [row for row in curve.rows if int(row["step"]) <= last_step]
    return curve


def parse_curve(data: bytes) -> Curve | None:
    """Returns the curve that a file holds, None where its bytes are not those that were written.

    Earlier code recorded no digest; its files count as whole if they can be read.
    """
    try:
        table = read_parquet(open_parquet(data, checksums=True))
        metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        rows = [{name: row[name] for name, _ in COLUMNS} for row in table.to_pylist()]
        curve = Curve(rows, float(metadata.get(SECONDS, 0.0)), metadata.get(TRAINING) or Curve().id)
    except (pa.ArrowException, OSError, ValueError, KeyError):
        return None
    return curve if metadata.get(DIGEST) in (None, _digest(curve)) else None


def write_curve(model: ModelHandle, curve: Curve) -> None:
    """Replaces the held curve."""
    metadata: dict[str | bytes, str | bytes] = {
        SECONDS: repr(float(curve.seconds)),
        TRAINING: curve.id,
        DIGEST: _digest(curve),
    }
    table = pa.Table.from_pylist(curve.rows, schema=pa.schema(COLUMNS, metadata=metadata))
    model.store.write(model.layout.curve, parquet_bytes(table, checksums=True))


def _digest(curve: Curve) -> str:
    """Returns the digest of all that a curve says; the file is replaced in one step, so no other file can hold it."""
    rows = [(int(row["step"]), str(row["metric"]), float(row["value"])) for row in curve.rows]
    return sha256(repr((rows, float(curve.seconds), curve.id)).encode())
