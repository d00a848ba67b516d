"""A check that does not end when it is asked to."""

import signal
import time

from flows.cli.doctor.findings import Asked, Report


def check(asked: Asked, report: Report) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with report.step("only"):
        time.sleep(3600)
