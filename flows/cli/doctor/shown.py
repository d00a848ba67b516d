"""The findings as people and programs read them; no secret of the environment is in either."""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from flows.cli.doctor.findings import Finding, Status

COLOURS = {Status.OK: "32", Status.WARNING: "33", Status.FAILED: "31;1", Status.SKIPPED: "2"}
SECRET = re.compile("SECRET|TOKEN|PASSWORD|API_KEY|AUTH_STRING|CREDENTIAL")
"""In the names of variables whose values are never shown."""
SHORTEST = 6
"""Characters of such a value; a shorter one is a part of innocent words."""
HIDDEN = "***"


def as_facts(findings: Iterable[Finding], counts: Mapping[Status, int]) -> dict[str, Any]:
    """Returns the answer for a program."""
    return {
        "ok": not counts[Status.FAILED],
        "counts": {status.value: counts[status] for status in Status},
        "findings": [asdict(without_secrets(finding)) for finding in findings],
    }


def as_lines(findings: list[Finding], counts: Mapping[Status, int]) -> list[str]:
    """Returns the answer for people: a line for each step, below it what to do."""
    check_width = max(len(finding.check) for finding in findings)
    step_width = max(len(finding.step) for finding in findings)
    lines, before = [], ""
    for finding in map(without_secrets, findings):
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


def without_secrets(finding: Finding) -> Finding:
    """Returns the finding without the values of secret variables, whatever library put them into its words."""
    return Finding(finding.check, finding.step, finding.status, _clean(finding.found), _clean(finding.remedy))


def _clean(text: str) -> str:
    for name, value in os.environ.items():
        if SECRET.search(name) and len(value) >= SHORTEST and not os.path.exists(value):
            for part in (value, *value.split(":", 1)[1:]):
                text = text.replace(part, HIDDEN) if len(part) >= SHORTEST else text
    return re.sub(r"(\w+://)[^/\s@]+@", rf"\1{HIDDEN}@", text)
