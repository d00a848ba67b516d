"""What a run leaves on Prefect's page: its progress, its figures as a table, and where its results are."""

import logging
import re
import time
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.exceptions import PrefectException

from flows.display import headline_rows
from infra.progress import PhaseState
from pipelines.reports.page import ReportResult
from pipelines.reports.summary import Headline
from pipelines.store import DatasetManifest
from pipelines.store.models.manifest import ModelManifest

UPDATE_SECONDS = 1.0
"""Least time between two updates of one progress artifact."""

log = logging.getLogger(__name__)


class ProgressArtifacts:
    """A sink that shows each phase as a progress artifact; a server that does not answer never stops the work."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[UUID, float]] = {}

    def begin(self, phase: PhaseState) -> None:
        try:
            artifact = create_progress_artifact(0.0, key=artifact_key(phase.name), description=phase.text())
            self._shown[phase.name] = (cast(UUID, artifact), time.monotonic())  # its type allows for a coroutine
        except (httpx.HTTPError, PrefectException, OSError) as error:
            log.debug("no progress artifact for %s: %s", phase.name, error)

    def update(self, phase: PhaseState) -> None:
        artifact, last = self._shown.get(phase.name, (None, 0.0))
        if artifact is not None and time.monotonic() - last >= UPDATE_SECONDS:
            self._send(artifact, phase)

    def end(self, phase: PhaseState, failed: bool) -> None:
        artifact, _ = self._shown.get(phase.name, (None, 0.0))
        if artifact is not None and not failed:
            self._send(artifact, phase)

    def _send(self, artifact: UUID, phase: PhaseState) -> None:
        self._shown[phase.name] = (artifact, time.monotonic())
        percent = min(100.0, 100.0 * phase.done / phase.total) if phase.total else 0.0
        try:
            update_progress_artifact(artifact, percent, description=phase.text())
        except (httpx.HTTPError, PrefectException, OSError) as error:
            log.debug("progress artifact of %s was not updated: %s", phase.name, error)


def artifact_key(text: str) -> str:
    """Returns a key as Prefect wants it, of small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def publish_dataset(manifest: DatasetManifest, name: str) -> None:
    """Leaves the facts of a dataset."""
    facts = {
        "world": manifest.plan.world,
        "episodes": manifest.plan.episodes,
        "frames": manifest.total("frames"),
        "bytes": manifest.total("bytes"),
        "shards": len(manifest.shards),
        "seed": manifest.plan.seed,
    }
    create_markdown_artifact(_facts(f"Dataset {name}", facts), key=artifact_key(f"dataset-{name}"))


def publish_model(manifest: ModelManifest) -> None:
    """Leaves the facts of a model."""
    facts = {
        "world": manifest.world,
        "dataset": manifest.dataset,
        "objective": manifest.recipe.objective,
        "parameters": manifest.parameters,
        "steps": manifest.recipe.train.steps,
        "seconds": round(manifest.seconds),
        "code": manifest.code_version,
    }
    create_markdown_artifact(_facts(f"Model {manifest.name}", facts), key=artifact_key(f"model-{manifest.name}"))


def publish_metrics(headlines: Sequence[Headline], run: str) -> None:
    """Leaves the headline figures as a table."""
    create_table_artifact(
        headline_rows(headlines), key="metrics", description=f"Run {run}: held-out figures, 95 % intervals"
    )


def publish_report(result: ReportResult) -> None:
    """Leaves the link to the report."""
    link = result.address if "://" in result.address else f"file://{result.address}"
    create_link_artifact(link, link_text=f"Report of run {result.run}", key="report")


def _facts(title: str, facts: dict[str, Any]) -> str:
    return "\n".join(
        [f"## {title}", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())]
    )
