"""A check that meets an error which nobody expected, and goes on; it prints where only its findings belong."""

from flows.cli.doctor.findings import Asked, Report


def check(asked: Asked, report: Report) -> None:
    print("a library says hello" * 10_000)
    with report.step("first"):
        raise ZeroDivisionError("by zero")
    with report.step("second") as step:
        step.ok("works")
    with report.step("third"):
        pass
