"""A process is recognised by more than its number, and a dead one is known to be dead."""

import dataclasses
import json
import subprocess
import sys

from infra.processes.identity import ProcessIdentity, is_running, this_process


def child() -> "tuple[subprocess.Popen[str], ProcessIdentity]":
    """Returns a process that waits for its input to end, and what it says of itself."""
    script = (
        "import dataclasses, json, sys; from infra.processes.identity import this_process; "
        "print(json.dumps(dataclasses.asdict(this_process())), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, ProcessIdentity(**json.loads(process.stdout.readline()))


def test_a_process_knows_itself() -> None:
    assert this_process() == this_process() and is_running(this_process())


def test_a_process_that_ended_does_not_run() -> None:
    process, identity = child()
    assert identity.pid == process.pid and is_running(identity)
    process.kill()
    process.stdout.read()  # type: ignore[union-attr]
    # Ended, and nobody has asked for its exit status.
    while is_running(identity):
        pass
    assert is_running(identity) is False
    process.wait()
    assert is_running(identity) is False


def test_another_process_of_the_same_number_is_another_one() -> None:
    assert is_running(dataclasses.replace(this_process(), started="1")) is False


def test_what_runs_on_another_machine_cannot_be_seen() -> None:
    ours = this_process()
    assert is_running(dataclasses.replace(ours, host="elsewhere")) is None
    # A machine of the same name, the same machine before it was started again, another container on it.
    assert is_running(dataclasses.replace(ours, machine="another boot")) is None
