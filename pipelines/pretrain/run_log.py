"""What rank 0 keeps of a training while it goes on: the curve, the trackers' pages and the checkpoints."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from infra.storage import Store
from jepa.training.recipes import Recipe
from pipelines.pretrain.background_writer import LEAVING_SECONDS, BackgroundWriter, Commit
from pipelines.pretrain.config import PretrainConfig
from pipelines.pretrain.preemption import Preempted
from pipelines.pretrain.trackers import TRACKERS, Tracked, Tracker
from pipelines.store.models.checkpoints import Checkpoint, Checkpoints
from pipelines.store.models.curve import Curve, read_curve, write_curve
from pipelines.store.models.manifest import model_path

Warn = Callable[[str], None]
"""Is called with a sentence that somebody should read, also from other threads."""


class Keeper:
    """Logs figures, and has what must outlive this process committed in the background."""

    def __init__(
        self, store: Store, config: PretrainConfig, recipe: Recipe, checkpoints: Checkpoints, step: int, warn: Warn
    ) -> None:
        """Goes on from what is held of the first `step` steps."""
        self.curve = read_curve(store, config.name, step)
        self._store, self._name, self._checkpoints, self._warn = store, config.name, checkpoints, warn
        self._batch_size = recipe.train.batch_size
        self._writer = BackgroundWriter(warn)
        self._parts: dict[str, bytes] = {}
        self._lost_seconds, self._saved_step = 0.0, 0
        self._begun = self._logged = time.monotonic()
        self._logged_step = step
        tracked = Tracked(self.curve.id, config.name, step, _settings(config, recipe), store)
        self._trackers = [opened for name in config.trackers if (opened := self._open(name, tracked))]

    def log(self, step: int, figures: dict[str, float]) -> None:
        """Adds the machinery's own figures to those of a step, and hands them to the curve and to all trackers.

        `clips_per_second` are those of the global batch since the last logged step, `checkpoint_seconds` what
        checkpoints have held training up in that time, `checkpoint_failures` those not written since the process began.
        """
        now = time.monotonic()
        clips = (step - self._logged_step) * self._batch_size
        figures["clips_per_second"] = clips / max(now - self._logged, 1e-9)
        figures["checkpoint_seconds"] = self._lost_seconds
        figures["checkpoint_failures"] = float(self._writer.failures)
        self._logged, self._logged_step, self._lost_seconds = now, step, 0.0
        self.curve.add(step, figures)
        for tracker in tuple(self._trackers):
            self._tell(tracker, lambda tracker: tracker.log(step, figures))

    def checkpoint(self, checkpoint: Checkpoint, seconds: float) -> None:
        """Has a checkpoint committed in the background, with the curve up to it; taking it has lost some seconds."""
        self._lost_seconds += seconds
        self._note_time()
        self._cut_parts(checkpoint.step)
        curve = self.curve.copy()

        def write() -> None:
            # The curve first: a checkpoint is resumed from only where the curve up to it is held too.
            self._write_figures(curve)
            self._checkpoints.save(checkpoint)
            self._saved_step = checkpoint.step

        self._writer.put(Commit(self._checkpoints.address(checkpoint.step), write))

    def saved(self, step: int) -> bool:
        """Waits for what is under way and returns whether the checkpoint of this step is in the store."""
        self._writer.wait()
        return self._saved_step == step

    def close_figures(self, step: int) -> Curve:
        """Ends the background's work and returns the whole curve, which is then in the store."""
        self._writer.drop()
        self._note_time()
        self._cut_parts(step)
        self._write_figures(self.curve)
        return self.curve

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        in_order = kind is None or issubclass(kind, Preempted)
        self._writer.close(None if in_order else LEAVING_SECONDS)
        for tracker in tuple(self._trackers):
            self._tell(tracker, lambda tracker: tracker.close())

    def _write_figures(self, curve: Curve) -> None:
        write_curve(self._store, self._name, curve)
        for path, data in tuple(self._parts.items()):
            self._store.write(model_path(self._name, path), data)
            # Only now: a part whose commit failed goes with the next one.
            self._parts.pop(path, None)

    def _cut_parts(self, step: int) -> None:
        for tracker in self._trackers:
            if part := tracker.part(step):
                self._parts[part[0]] = part[1]

    def _note_time(self) -> None:
        now = time.monotonic()
        self.curve.seconds += now - self._begun
        self._begun = now

    def _open(self, name: str, tracked: Tracked) -> Tracker | None:
        try:
            return TRACKERS.get(name)(tracked)
        except Exception as error:  # whatever a service answers, the training is well
            self._warn(f"tracker {name!r} did not start ({type(error).__name__}: {error}); training goes on without it")
            return None

    def _tell(self, tracker: Tracker, what: Callable[[Tracker], Any]) -> None:
        try:
            what(tracker)
        except Exception as error:  # as above
            self._trackers.remove(tracker)
            name = type(tracker).__name__
            self._warn(f"{name} failed ({type(error).__name__}: {error}); training goes on without it")


def _settings(config: PretrainConfig, recipe: Recipe) -> dict[str, Any]:
    """Returns what a tracker's page should tell of the training, flat."""
    told: dict[str, Any] = {"dataset": config.dataset, "recipe": config.recipe, "objective": recipe.objective}
    for part in ("model", "objective_options", "train"):
        told |= {f"{part}.{name}": value for name, value in recipe.model_dump(mode="json")[part].items()}
    return told
