"""TensorBoard's event files in the model's folder, one for each stretch between two checkpoints.

A file is written once and never grows, as an object store wants it. Files that a crash left beyond the checkpoint that
is resumed from are removed, so that no step is there twice.
"""

import io
import time

from pipelines.pretrain.records.trackers.tracker import TRACKERS, Tracked, Tracker
from pipelines.store.models.manifest import ModelHandle

FOLDER = "tensorboard"
PART = "events.out.tfevents."
"""Start of each file's name; its last step follows, so that names sort as time does."""


@TRACKERS.register("tensorboard")
class TensorBoardTracker(Tracker):
    """Scalars named as in `metrics.parquet`; read them with `tensorboard --logdir <store>/models`."""

    def __init__(self, tracked: Tracked) -> None:
        drop_parts_after(tracked.model, tracked.last_step)
        self._start: int | None = tracked.last_step + 1
        self._events: list[tuple[float, int, dict[str, float]]] = []

    def log(self, step: int, figures: dict[str, float]) -> None:
        self._events.append((time.time(), step, figures))

    def part(self, step: int) -> tuple[str, bytes] | None:
        if not self._events:
            return None
        data = event_file(self._events, self._start)
        self._events, self._start = [], None
        return f"{FOLDER}/{PART}{step:010d}", data


def event_file(events: list[tuple[float, int, dict[str, float]]], start: int | None) -> bytes:
    """Returns a whole event file.

    Args:
        events: Unix time, step and figures of each logged step.
        start: in a process's first file its first step: a TensorBoard that looks on drops what it saw from there on.
    """
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    sink = io.BytesIO()
    records = RecordWriter(sink)
    head = [Event(wall_time=events[0][0], file_version="brain.Event:2")]
    if start is not None:
        head.append(Event(wall_time=events[0][0], step=start, session_log=SessionLog(status=SessionLog.START)))
    body = [
        Event(
            wall_time=seconds,
            step=step,
            summary=Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]),
        )
        for seconds, step, figures in events
    ]
    for event in head + body:
        records.write(event.SerializeToString())
    return sink.getvalue()


def drop_parts_after(model: ModelHandle, last_step: int) -> None:
    """Removes the event files of steps that are trained, and logged, again."""
    prefix = model.layout.file(f"{FOLDER}/{PART}")
    for path in model.store.list(prefix):
        if int(path.removeprefix(prefix)) > last_step:
            model.store.delete(path)
