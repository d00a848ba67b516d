"""Checkpoints of a training run: the whole state, committed so that a torn one is never resumed from.

A checkpoint is `checkpoints/step-00000500/state.safetensors` and, written last, `checkpoint.json` with the digest of
the former and the loader's position. Nothing is pickled.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.training.state import TrainingState


@dataclass(frozen=True)
class Checkpoint:
    """A trainer's state and the loader's position after `step` steps."""

    step: int
    state: TrainingState
    loader_position: dict[str, int]


class Checkpoints:
    """The checkpoints under `<store>/models/<name>/checkpoints/`; only one process of a run may write."""

    def __init__(self, store: Store, model_name: str, keep: int = 2) -> None:
        """Names the place; `keep` checkpoints stay: the one before the last serves where the last is damaged."""
        self.store, self.keep = store, keep
        self.prefix = f"models/{model_name}/checkpoints"

    def save(self, checkpoint: Checkpoint) -> None:
        """Commits a checkpoint, then removes all but the last `keep`."""
        folder = self._folder(checkpoint.step)
        data = checkpoint.state.to_bytes()
        mark = {
            "step": checkpoint.step,
            "sha256": hashlib.sha256(data).hexdigest(),
            "loader_position": checkpoint.loader_position,
        }
        self.store.write(f"{folder}/state.safetensors", data)
        self.store.write(f"{folder}/checkpoint.json", json.dumps(mark, indent=1).encode())
        for step in self.steps()[: -self.keep]:
            self._delete(step)

    def address(self, step: int) -> str:
        """Returns where the checkpoint of a step is, for people."""
        return self.store.address(self._folder(step))

    def steps(self) -> list[int]:
        """Returns the steps of all committed checkpoints, ascending."""
        pattern = re.compile(rf"{re.escape(self.prefix)}/step-(\d+)/checkpoint\.json")
        matches = (pattern.fullmatch(path) for path in self.store.list(f"{self.prefix}/"))
        return sorted(int(match[1]) for match in matches if match)

    def latest_step(self) -> int | None:
        """Returns the step of the newest checkpoint whose bytes are whole; None where there is none."""
        return next((step for step in reversed(self.steps()) if self._read(step) is not None), None)

    def load(self, step: int) -> Checkpoint:
        """Returns the checkpoint of a step.

        Raises:
            InputError: there is none, or it is damaged.
        """
        found = self._read(step)
        if found is None:
            raise InputError(f"checkpoint {self.address(step)} is missing or damaged; train again")
        data, mark = found
        return Checkpoint(step, TrainingState.from_bytes(data), mark["loader_position"])

    def clear(self) -> None:
        """Removes every checkpoint; the finished model stands beside them."""
        for path in self.store.list(f"{self.prefix}/"):
            self.store.delete(path)

    def _read(self, step: int) -> tuple[bytes, dict[str, Any]] | None:
        try:
            mark = json.loads(self.store.read(f"{self._folder(step)}/checkpoint.json"))
            data = self.store.read(f"{self._folder(step)}/state.safetensors")
            whole = hashlib.sha256(data).hexdigest() == mark["sha256"]
        except (FileNotFoundError, ValueError, KeyError):
            return None
        return (data, mark) if whole else None

    def _delete(self, step: int) -> None:
        # The mark goes first: without it the rest is no checkpoint.
        for name in ("checkpoint.json", "state.safetensors"):
            self.store.delete(f"{self._folder(step)}/{name}")

    def _folder(self, step: int) -> str:
        return f"{self.prefix}/step-{step:08d}"
