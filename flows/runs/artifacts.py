"""What a run leaves on Prefect's page: facts of what it made, its figures as a table, how to open its report."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.display import finding_rows, headline_rows
from infra.settings import S3Settings
from pipelines.reports.page import ReportResult
from pipelines.reports.summary import Headline
from pipelines.store import DatasetManifest
from pipelines.store.models.manifest import ModelManifest
from pipelines.study import Studied


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
        headline_rows(headlines),
        key=artifact_key(f"metrics-{run}"),
        description=f"Run {run}: held-out figures, 95 % intervals",
    )


def publish_findings(studied: Studied) -> None:
    """Leaves what a study found of its claims as a table."""
    create_table_artifact(
        finding_rows(studied.findings),
        key=artifact_key(f"claims-{studied.run}"),
        description=f"Study {studied.plan.study.name}, run {studied.run}: {len(studied.units)} cells",
    )


def publish_report(result: ReportResult) -> None:
    """Leaves the headline figures, and the address of the report or what opens it."""
    parts = [f"## Results of run {result.run}", _table(headline_rows(result.headlines)), how_to_open(result.address)]
    create_markdown_artifact("\n\n".join(part for part in parts if part), key=artifact_key(f"results-{result.run}"))


def how_to_open(address: str) -> str:
    """Returns, in Markdown, a link that a browser opens from Prefect's page, or the command that opens the report.

    A page that came by http opens no file of the machine, and a browser knows nothing of S3.
    """
    if address.startswith(("http://", "https://")):
        return f"[Open the report]({address})"
    if address.startswith("s3://"):
        return _on_s3(address)
    path = Path(address.removeprefix("file://"))
    folder = shlex.quote(str(path.parent))
    return (
        f"The report is `{path}` on the machine that ran this. There, open the file, or\n\n"
        f"    python -m http.server 8000 --bind 127.0.0.1 --directory {folder}\n\n"
        f"and go to <http://127.0.0.1:8000/{path.name}>."
    )


def _on_s3(address: str) -> str:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    settings = S3Settings.from_environment()
    server = f"--endpoint-url {settings.endpoint} " if settings.endpoint else ""
    lines = [f"The report is `{address}`.", f"    aws {server}s3 cp {shlex.quote(address)} report.html"]
    if not settings.endpoint:
        console = f"https://s3.console.aws.amazon.com/s3/object/{bucket}?region={settings.region}&prefix={quote(key)}"
        lines.append(f"[In the AWS console]({console})")
    return "\n\n".join(lines)


def _table(rows: Sequence[dict[str, Any]]) -> str:
    """Returns rows of the same keys as a table in Markdown."""
    if not rows:
        return "No figures on held-out episodes yet."
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _facts(title: str, facts: dict[str, Any]) -> str:
    return "\n".join(
        [f"## {title}", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())]
    )
