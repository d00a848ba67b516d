"""What rank 0 keeps of a training while it goes on: the curve, the trackers' pages and the checkpoints."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from infra.observability.event_log import event
from jepa.core.collectives import rank, world_size
from jepa.training.recipes import Recipe
from pipelines.loader.counters import LoaderCounters
from pipelines.pretrain.cluster.preemption import Preempted
from pipelines.pretrain.records.background_writer import LEAVING_SECONDS, BackgroundWriter, Commit
from pipelines.pretrain.records.trackers import Tracked, TrackerGroup
from pipelines.pretrain.task import TrainingTask
from pipelines.store.models.checkpoints import Checkpoint, Checkpoints
from pipelines.store.models.claim import check_claim
from pipelines.store.models.curve import Curve, read_curve, write_curve

Warn = Callable[[str], None]
"""Is called with a sentence that somebody should read, also from other threads."""
Report = Callable[[int, dict[str, float]], None]
"""Is called by rank 0 with the steps done and the figures of the last one: all of a logged step, of others the pace."""


REPORT_SECONDS = 5.0
"""Time after which steps are reported although none of them is logged."""


class RunLog:
    """Logs figures, and has what must outlive this process committed in the background."""

    def __init__(
        self,
        task: TrainingTask,
        recipe: Recipe,
        checkpoints: Checkpoints,
        step: int,
        report: Report | None,
        warn: Warn,
    ) -> None:
        """Goes on from what is held of the first `step` steps."""
        self.curve = read_curve(checkpoints.model, step)
        self._model, self._checkpoints, self._claim = checkpoints.model, checkpoints, task.claim
        self._report = report
        self._batch_size = recipe.train.batch_size
        self._writer = BackgroundWriter(warn)
        self._parts: dict[str, bytes] = {}
        self._lost_seconds, self._saved_step = 0.0, step
        self._begun = self._logged = time.monotonic()
        self._logged_step = step
        self._reported = self._begun
        tracked = Tracked(self.curve.id, self._model, step, _settings(task, recipe))
        self._trackers = TrackerGroup(task.config.trackers, tracked, warn)

    def log(self, step: int, figures: dict[str, float], wait_share: float) -> None:
        """Adds the machinery's own figures to those of a step, and hands them to curve, trackers and report.

        `data_wait` is the share of this process's time spent waiting for clips: near 0, or the loader holds training
        back; `workers` how many train; `clips_per_second` those of the global batch since the last logged step;
        `checkpoint_seconds` what checkpoints have held training up in that time; `checkpoint_failures` those not
        written since the process began. The report alone gets `step_seconds`, which the curve's clips/s say, too.
        """
        self._writer.check()  # a checkpoint may be far: without its writer, what is learned would be lost
        now = time.monotonic()
        seconds, steps = max(now - self._logged, 1e-9), step - self._logged_step
        figures = figures | {
            "data_wait": wait_share,
            "workers": float(world_size()),
            "clips_per_second": steps * self._batch_size / seconds,
            "checkpoint_seconds": self._lost_seconds,
            "checkpoint_failures": float(self._writer.failures),
        }
        self._logged, self._logged_step, self._lost_seconds = now, step, 0.0
        self._reported = now
        self.curve.add(step, figures)
        self._trackers.log(step, figures)
        if self._report is not None:
            self._report(step, figures | {"step_seconds": seconds / max(steps, 1)})

    def passed(self, step: int, counters: Callable[[], LoaderCounters]) -> None:
        """Reports the pace of steps between two logged ones where these are far apart; the curve keeps none of it."""
        now = time.monotonic()
        if self._report is None or now - self._reported < REPORT_SECONDS:
            return
        self._reported = now
        each = (now - self._logged) / (step - self._logged_step)
        pace = {"clips_per_second": self._batch_size / each, "step_seconds": each}
        self._report(step, pace | {"data_wait": counters().wait_share})

    def checkpoint(self, checkpoint: Checkpoint, seconds: float) -> None:
        """Has a checkpoint committed in the background, with the curve up to it; taking it has lost some seconds."""
        self._lost_seconds += seconds
        self._note_time()
        self._parts |= self._trackers.parts(checkpoint.step)
        curve = self.curve.copy()

        def write() -> None:
            check_claim(self._model, self._claim)
            # The curve first: a checkpoint is resumed from only where the curve up to it is held too.
            self._write_figures(curve)
            self._checkpoints.save(checkpoint)
            self._saved_step = checkpoint.step
            event("checkpoint saved", step=checkpoint.step)

        self._writer.put(Commit(self._checkpoints.address(checkpoint.step), write))
        if self._checkpoints.is_kept(checkpoint.step):
            self._writer.wait()  # a later one would take its place in the queue

    def saved(self, step: int) -> bool:
        """Waits for what is under way and returns whether the checkpoint of this step is in the store."""
        self._writer.wait()
        return self._saved_step == step

    def close_figures(self, step: int) -> Curve:
        """Ends the background's work and returns the whole curve, which is then in the store."""
        self._writer.wait()
        self._note_time()
        self._parts |= self._trackers.parts(step)
        self._write_figures(self.curve)
        return self.curve

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        in_order = kind is None or issubclass(kind, Preempted)
        try:
            self._writer.close(None if in_order else LEAVING_SECONDS)
        finally:
            self._trackers.close()

    def _write_figures(self, curve: Curve) -> None:
        write_curve(self._model, curve)
        for path, data in tuple(self._parts.items()):
            self._model.store.write(self._model.layout.file(path), data)
            # Only now: a part whose commit failed goes with the next one.
            self._parts.pop(path, None)

    def _note_time(self) -> None:
        now = time.monotonic()
        self.curve.seconds += now - self._begun
        self._begun = now


class NoRunLog:
    """The run log of all other ranks: it keeps nothing."""

    def log(self, step: int, figures: dict[str, float], wait_share: float) -> None:
        """Does nothing."""

    def passed(self, step: int, counters: Callable[[], LoaderCounters]) -> None:
        """Does nothing."""

    def checkpoint(self, checkpoint: Checkpoint, seconds: float) -> None:
        """Does nothing."""

    def saved(self, step: int) -> bool:
        """Returns True: there is nothing to save here."""
        return True


@contextmanager
def open_run_log(
    task: TrainingTask,
    recipe: Recipe,
    checkpoints: Checkpoints,
    step: int,
    report: Report | None,
    warn: Warn,
) -> Iterator[RunLog | NoRunLog]:
    """Opens this rank's run log, which goes on from what is held of the first `step` steps."""
    if rank():
        yield NoRunLog()
        return
    with RunLog(task, recipe, checkpoints, step, report, warn) as run_log:
        yield run_log


def _settings(task: TrainingTask, recipe: Recipe) -> dict[str, Any]:
    """Returns what a tracker's page should show of the training, flat."""
    origin = task.origin
    settings: dict[str, Any] = {"dataset": str(origin.dataset_ref), "recipe": task.config.recipe}
    settings |= {"init_from": str(origin.init_from)} if origin.init_from else {}
    settings |= {"objective": recipe.objective}
    for part in ("model", "objective_options", "train"):
        settings |= {f"{part}.{name}": value for name, value in recipe.model_dump(mode="json")[part].items()}
    return settings
