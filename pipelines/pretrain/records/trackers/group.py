"""All trackers of a training: whatever one of them does, the training goes on without it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from infra.storage import clean_path
from pipelines.pretrain.records.trackers.tracker import TRACKERS, Tracked, Tracker

log = logging.getLogger(__name__)


class TrackerGroup:
    """Passes figures on to every tracker; one that fails is said so once and left out."""

    def __init__(self, names: Sequence[str], tracked: Tracked, warn: Callable[[str], None] = log.warning) -> None:
        """Opens the trackers by their registered names; `warn` gets a sentence for each that fails."""
        self._warn = warn
        self._open: dict[str, Tracker] = {}
        for name in dict.fromkeys(names):
            with self._left_out_if_it_fails(name):
                self._open[name] = TRACKERS.get(name)(tracked)

    def log(self, step: int, figures: dict[str, float]) -> None:
        """Hands the figures of a step to each tracker, to each a copy of its own."""
        for name, tracker in tuple(self._open.items()):
            with self._left_out_if_it_fails(name):
                tracker.log(step, dict(figures))

    def parts(self, step: int) -> dict[str, bytes]:
        """Returns the files that trackers want to leave in the model's folder, by their paths in it."""
        files: dict[str, bytes] = {}
        for name, tracker in tuple(self._open.items()):
            with self._left_out_if_it_fails(name):
                if (part := tracker.part(step)) is not None:
                    # Checked here: a wrong path or content would keep the checkpoint beside it from being written.
                    path, data = part
                    files[clean_path(path)] = bytes(data)
        return files

    def close(self) -> None:
        """Closes each tracker."""
        for name, tracker in tuple(self._open.items()):
            with self._left_out_if_it_fails(name):
                tracker.close()

    @contextmanager
    def _left_out_if_it_fails(self, name: str) -> Iterator[None]:
        try:
            yield
        except (Exception, SystemExit) as error:  # whatever a service answers, the training is well
            self._open.pop(name, None)
            self._warn(f"tracker {name!r} failed ({type(error).__name__}: {error}); training goes on without it")
