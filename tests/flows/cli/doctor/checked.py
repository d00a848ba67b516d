"""A check that runs in the test's own process."""

from flows.cli.doctor.checks import CHECKS, run_check
from flows.cli.doctor.findings import Asked, Finding, Report, Status


def findings(name: str, store: str = "runs/", seconds: float = 60.0) -> dict[str, Finding]:
    """Returns what a check finds, by its steps."""
    found: list[Finding] = []
    run_check(f"{CHECKS[name].room}.{name}", Asked(store, seconds), Report(name, lambda step: None, found.append))
    by_step = {finding.step: finding for finding in found}
    assert len(by_step) == len(found), "two steps have one name"
    assert all(finding.found for finding in found)
    assert all(finding.remedy for finding in found if finding.status in (Status.FAILED, Status.WARNING))
    return by_step


def statuses(found: dict[str, Finding]) -> dict[str, str]:
    """Returns the status of each step."""
    return {step: finding.status.value for step, finding in found.items()}
