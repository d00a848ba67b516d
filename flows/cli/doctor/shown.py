"""The findings as people and programs read them; no secret of the environment is in either."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from flows.cli.doctor.findings import Finding, Status
from infra.observability.secrets import without_secrets

COLOURS = {Status.OK: "32", Status.WARNING: "33", Status.FAILED: "31;1", Status.SKIPPED: "2"}


def as_facts(findings: Iterable[Finding], counts: Mapping[Status, int]) -> dict[str, Any]:
    """Returns the answer for a program."""
    return {
        "ok": not counts[Status.FAILED],
        "counts": {status.value: counts[status] for status in Status},
        "findings": [asdict(_clean(finding)) for finding in findings],
    }


def as_lines(findings: list[Finding], counts: Mapping[Status, int]) -> list[str]:
    """Returns the answer for people: a line for each step, below it what to do."""
    check_width = max(len(finding.check) for finding in findings)
    step_width = max(len(finding.step) for finding in findings)
    lines, before = [], ""
    for finding in map(_clean, findings):
        check = finding.check if finding.check != before else ""
        before = finding.check
        mark = coloured(f"{finding.status:<7}", finding.status)
        lines.append(f"{mark}  {check:<{check_width}}  {finding.step:<{step_width}}  {finding.found}")
        if finding.remedy:
            lines.append(f"{'':{7 + 2 + check_width + 2 + step_width}}  → {finding.remedy}")
    said = ", ".join(coloured(f"{counts[status]} {status}", status) for status in Status if counts[status])
    return [*lines, "", said]


def coloured(text: str, status: Status) -> str:
    """Returns the text in the colour of a status, on a terminal that wants colours."""
    wanted = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[{COLOURS[status]}m{text}\x1b[0m" if wanted else text


def _clean(finding: Finding) -> Finding:
    found, remedy = without_secrets(finding.found), without_secrets(finding.remedy)
    return Finding(finding.check, finding.step, finding.status, found, remedy)
