"""The progress of a run's phases as artifacts on Prefect's page."""

import logging
import threading
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.runs.artifacts import artifact_key
from infra.processes.background import BackgroundThread
from infra.progress import PhaseState

UPDATE_SECONDS = 1.0
"""Least time between two updates."""
LEAVING_SECONDS = 5.0
"""How long the end of a phase waits for its last state to be shown."""

log = logging.getLogger(__name__)


class ProgressArtifacts:
    """A sink that shows each phase as a progress artifact, sent by a thread of its own.

    A server that does not answer holds nothing up and stops nothing; when it answers again, the artifact goes on.
    """

    def __init__(self) -> None:
        self._artifacts: dict[str, _Artifact] = {}

    def begin(self, phase: PhaseState) -> None:
        self._artifacts[phase.name] = _Artifact(artifact_key(phase.name), phase)

    def update(self, phase: PhaseState) -> None:
        self._artifacts[phase.name].show()

    def end(self, phase: PhaseState, failed: bool) -> None:
        self._artifacts.pop(phase.name).close()


class _Artifact:
    """One progress artifact, and the thread that brings it up to date."""

    def __init__(self, key: str, phase: PhaseState) -> None:
        self._key, self._phase = key, phase
        self._id: UUID | None = None
        self._changed, self._over = threading.Event(), threading.Event()
        self._changed.set()
        self._thread = BackgroundThread(self._run, "progress-artifact")
        self._thread.start()

    def show(self) -> None:
        """Has the phase's state shown soon."""
        self._changed.set()

    def close(self) -> None:
        """Has its last state shown, for which it waits a little."""
        self._over.set()
        self._changed.set()
        self._thread.leave(LEAVING_SECONDS)

    def _run(self) -> None:
        while True:
            self._changed.wait()
            last = self._over.is_set()
            self._changed.clear()
            sent = self._send()
            if last:
                return
            if not sent:
                self._changed.set()
            self._over.wait(UPDATE_SECONDS)

    def _send(self) -> bool:
        phase = self._phase
        percent = min(100.0, 100.0 * phase.done / phase.total) if phase.total else 0.0
        try:
            if self._id is None:
                made = create_progress_artifact(percent, key=self._key, description=phase.text())
                self._id = cast(UUID, made)  # its type allows for a coroutine
            else:
                update_progress_artifact(self._id, percent, description=phase.text())
        except Exception as error:
            log.debug("progress artifact %s was not updated: %s", self._key, error)
            return False
        return True
