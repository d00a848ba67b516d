"""Weights & Biases; server, project and key come from WANDB_BASE_URL, WANDB_PROJECT, WANDB_API_KEY, WANDB_MODE."""

import os
import tempfile
from typing import Any

from pipelines.pretrain.records.trackers.tracker import TRACKERS, Tracked, Tracker


@TRACKERS.register("wandb")
class WandbTracker(Tracker):
    """One run for each model, which a restarted training continues."""

    package = "wandb"

    def __init__(self, tracked: Tracked) -> None:
        import wandb

        begun = {} if os.environ.get("WANDB_PROJECT") else {"project": "jepa"}
        # Without WANDB_DIR its files would lie in whatever folder the worker runs in.
        folder = os.environ.get("WANDB_DIR") or tempfile.mkdtemp(prefix="jepa-wandb-")
        self._run: Any = wandb.init(
            id=tracked.id,
            name=tracked.model.name,
            resume="allow",
            dir=folder,
            config=tracked.settings,
            **begun,
        )

    def log(self, step: int, figures: dict[str, float]) -> None:
        # Steps after the checkpoint come again with the same figures: what is there already stays.
        if step >= self._run.step:
            self._run.log(figures, step=step)

    def close(self) -> None:
        self._run.finish()
