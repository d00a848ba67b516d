"""`jepa doctor`: checks what surrounds the jobs, and says for each failure what to do."""

from collections import Counter
from typing import Annotated

from pydantic import Field

from flows.cli.commands.context import Context
from flows.cli.doctor.checks import CHECKS
from flows.cli.doctor.findings import Asked, Status
from flows.cli.doctor.run import run_checks
from flows.cli.doctor.shown import as_facts, as_lines
from flows.servers.embedded import embedded_store
from infra.processes.machine import machine_cores
from infra.progress import Progress
from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.registries.choices import Choices

MOST_AT_ONCE = 4


class DoctorOptions(Config):
    """What to check."""

    only: Annotated[tuple[str, ...], Choices(lambda: CHECKS)] = ()
    """checks to run: python, settings, machine, store, prefect, ray, gpu, renderers, worlds; by default all"""
    seconds: float = Field(20.0, gt=0, le=3600)
    """how long one step may take before its check is ended"""


Options = DoctorOptions
EXAMPLE = "jepa doctor --store s3://bucket/prefix\n  jepa doctor --only store prefect --json"


def execute(options: DoctorOptions, context: Context) -> int:
    """Runs the checks and shows what they found; 1 where something failed."""
    for name in options.only:
        if name not in CHECKS:
            raise InputError(f"check {name!r} is not known; choose some of: {', '.join(CHECKS)}")
    names = [name for name in CHECKS if name in options.only or not options.only]
    at_once = max(1, min(MOST_AT_ONCE, machine_cores()))
    with (
        embedded_store(context.store_uri) as (uri, _),
        (Progress() if context.as_json else context.progress()).phase("doctor", len(names), "checks") as phase,
    ):
        findings = run_checks(names, Asked(uri, options.seconds), at_once, phase.advance)
    counts = Counter(finding.status for finding in findings)
    context.show(as_facts(findings, counts), as_lines(findings, counts))
    return 1 if counts[Status.FAILED] else 0
