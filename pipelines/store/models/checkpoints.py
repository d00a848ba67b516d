"""Checkpoints of a training run: the whole state, committed so that a torn one is never resumed from.

A checkpoint is `checkpoints/step-00000500/state.safetensors` and, written last, `checkpoint.json` with the digest of
the former, the loader's position and what the training is made from. Nothing is pickled.
"""

import re
from dataclasses import dataclass
from typing import Any

from jepa.core.config import Config, to_json
from jepa.core.errors import InputError
from jepa.training.state import TrainingState
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.models.origin import Origin
from pipelines.store.references import DatasetRef, ModelRef
from pipelines.store.sealed import seal, sha256, unseal


@dataclass(frozen=True)
class Checkpoint:
    """A trainer's state and the loader's position after `step` steps."""

    step: int
    state: TrainingState
    loader_position: dict[str, int]
    origin: Origin | None = None
    """what the training is made from; None in checkpoints of earlier code, which did not record it"""


class CheckpointMark(Config):
    """What `checkpoint.json` says; a checkpoint exists when it does."""

    step: int
    sha256: str
    """of the state's bytes"""
    loader_position: dict[str, int]
    request: dict[str, Any] | None = None
    dataset_ref: DatasetRef | None = None
    init_from: ModelRef | None = None

    @property
    def origin(self) -> Origin | None:
        """Returns what the training is made from; None in checkpoints of earlier code."""
        if self.request is None or self.dataset_ref is None:
            return None
        return Origin(request=self.request, dataset_ref=self.dataset_ref, init_from=self.init_from)


class Checkpoints:
    """The checkpoints of a model; only one process of a run may write."""

    def __init__(self, model: ModelHandle, keep: int = 2, keep_every: int | None = None) -> None:
        """Names the place.

        Args:
            model: whose they are.
            keep: newest checkpoints that stay: the one before the last serves where the last is damaged.
            keep_every: those at a multiple of so many steps stay besides.
        """
        self.model, self.keep, self.keep_every = model, keep, keep_every

    def is_kept(self, step: int) -> bool:
        """Returns whether the checkpoint of a step stays, however many come after it."""
        return self.keep_every is not None and step % self.keep_every == 0

    def save(self, checkpoint: Checkpoint) -> None:
        """Commits a checkpoint, then removes all but the last `keep`."""
        data = checkpoint.state.to_bytes()
        mark = CheckpointMark(
            step=checkpoint.step,
            sha256=sha256(data),
            loader_position=checkpoint.loader_position,
            **(dict(checkpoint.origin) if checkpoint.origin else {}),
        )
        self.model.store.write(self._state(checkpoint.step), data)
        self.model.store.write(self._mark(checkpoint.step), seal(to_json(mark)))
        self.prune(self.keep)

    def address(self, step: int) -> str:
        """Returns where the checkpoint of a step is, for people."""
        return self.model.store.address(self._mark(step).rpartition("/")[0])

    def steps(self) -> list[int]:
        """Returns the steps of all committed checkpoints, ascending."""
        prefix = self.model.layout.checkpoints
        pattern = re.compile(rf"{re.escape(prefix)}step-(\d+)/checkpoint\.json")
        matches = (pattern.fullmatch(path) for path in self.model.store.list(prefix))
        return sorted(int(match[1]) for match in matches if match)

    def latest_step(self) -> int | None:
        """Returns the step of the newest checkpoint whose bytes are whole; None where there is none."""
        return next((step for step in reversed(self.steps()) if self._read(step) is not None), None)

    def newest_mark(self) -> CheckpointMark | None:
        """Returns what the newest checkpoint says of itself, whether its state is whole or not; None without one."""
        marks = (self.read_mark(step) for step in reversed(self.steps()))
        return next((mark for mark in marks if mark is not None), None)

    def load(self, step: int) -> Checkpoint:
        """Returns the checkpoint of a step.

        Raises:
            InputError: there is none, or it is damaged.
        """
        found = self._read(step)
        if found is None:
            raise InputError(f"checkpoint {self.address(step)} is missing or damaged; train again")
        data, mark = found
        return Checkpoint(step, TrainingState.from_bytes(data), mark.loader_position, mark.origin)

    def prune(self, keep: int) -> None:
        """Removes all but the newest `keep` checkpoints, and those that are kept besides."""
        for step in self.steps()[:-keep]:
            if self.is_kept(step):
                continue
            # The mark goes first: without it the rest is no checkpoint.
            self.model.store.delete(self._mark(step))
            self.model.store.delete(self._state(step))

    def _read(self, step: int) -> tuple[bytes, CheckpointMark] | None:
        mark = self.read_mark(step)
        if mark is None:
            return None
        try:
            data = self.model.store.read(self._state(step))
        except FileNotFoundError:
            return None
        return (data, mark) if sha256(data) == mark.sha256 else None

    def read_mark(self, step: int) -> CheckpointMark | None:
        """Returns what the checkpoint of a step says of itself; None where there is none, or it is damaged."""
        try:
            mark = CheckpointMark.model_validate_json(unseal(self.model.store.read(self._mark(step))))
        except (FileNotFoundError, ValueError):
            return None
        return mark if mark.step == step else None

    def _mark(self, step: int) -> str:
        return self.model.layout.checkpoint(step, "checkpoint.json")

    def _state(self, step: int) -> str:
        return self.model.layout.checkpoint(step, "state.safetensors")
