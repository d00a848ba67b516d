"""What is left of the processes that a context starts, once the process that holds it has ended."""

import signal
import subprocess
import sys
import time

import psutil

HOLD = """
import time, sys
{imports}
with {context}:
    print("up", flush=True)
    time.sleep(300)
"""


def descendants_after(imports: str, context: str, end: signal.Signals, patience: float = 90) -> list[str]:
    """Holds a context in a process of its own, ends that by a signal and returns what is left of its children."""
    script = HOLD.format(imports=imports, context=context)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(end)
        process.wait(patience)
        return [child.name() for child in _alive_after(children, patience)]
    finally:
        process.kill()
        process.wait()


def _alive_after(processes: list[psutil.Process], patience: float) -> list[psutil.Process]:
    deadline = time.monotonic() + patience
    alive = processes
    while alive and time.monotonic() < deadline:
        time.sleep(0.1)
        alive = [process for process in alive if _is_alive(process)]
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
