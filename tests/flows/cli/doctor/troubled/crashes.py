"""A check whose library ends the process."""

import os
import signal
import sys

from flows.cli.doctor.findings import Asked, Report


def check(asked: Asked, report: Report) -> None:
    with report.step("first") as step:
        step.ok("works")
    with report.step("second"):
        print("the driver is broken", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
