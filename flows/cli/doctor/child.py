"""The process of one check: a JSON line as each step begins and ends; what libraries print goes to stderr."""

import json
import os
import signal
import sys
from dataclasses import asdict
from typing import Any

from flows.cli.doctor.checks import run_check
from flows.cli.doctor.findings import Asked, Finding, Report
from infra.processes.child import end_with_parent


def main() -> None:
    """Runs the check of the module that the first argument names, as the JSON of the second one asks."""
    module, asked = sys.argv[1], Asked(**json.loads(sys.argv[2]))
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # An end that is asked for still removes what the check has put into the store.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    end_with_parent()

    def send(message: dict[str, Any]) -> None:
        lines.write(json.dumps(message) + "\n")
        lines.flush()

    def end(finding: Finding) -> None:
        send(asdict(finding))

    name = module.rpartition(".")[2]
    run_check(module, asked, Report(name, lambda step: send({"begins": step}), end))
    lines.close()
    # Some libraries crash in their own clean-up, when all has been said.
    os._exit(0)


if __name__ == "__main__":
    main()
