"""A script that starts worker processes and has no `__main__` guard gets a sentence.

A new process runs the main script again to find the functions in it. Without a guard it comes to the call that started
it, and Python ends it there with a long trace, once for every process.
"""

import multiprocessing
import os
import sys
from pathlib import Path

from jepa.core.errors import InputError

WORKER_NAME = "jepa-worker"
EXIT_STATUS = 113
"""Of a worker that came to a job while it ran the main script; the driver says what that means."""

SENTENCE = (
    "this script starts worker processes, and each of them runs it again; put its calls under "
    "`if __name__ == \"__main__\":`, or do the work in this process: executor 'local' and one worker"
)


def refuse_worker_start_up() -> None:
    """Ends a job that is called while a new process still runs the main script.

    Raises:
        InputError: it is a process that somebody else started; one of ours ends without a word.
    """
    process = multiprocessing.current_process()
    if not getattr(process, "_inheriting", False):
        return
    if process.name.startswith(WORKER_NAME):
        os._exit(EXIT_STATUS)
    raise InputError(SENTENCE)


def require_main_file() -> None:
    """Passes where new processes will find the main script.

    Raises:
        InputError: it was read from standard input.
    """
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    if getattr(main, "__spec__", None) is None and path == "<stdin>" and not Path(path).exists():
        raise InputError(
            "worker processes cannot run a script that is read from standard input; save it to a file, or do the work "
            "in this process: executor 'local' and one worker"
        )
