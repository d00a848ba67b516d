"""A check that never ends, and removes what it has made once it is asked to end."""

import time
from pathlib import Path

from flows.cli.doctor.findings import Asked, Report


def check(asked: Asked, report: Report) -> None:
    with report.step("first") as step:
        step.ok("works")
    with report.step("second"):
        try:
            Path(asked.store).write_text("made by a check")
            time.sleep(3600)
        finally:
            Path(asked.store).unlink(missing_ok=True)
