"""A thread that an error ends takes down whoever depends on it, in a bounded time, with that error."""

import ast
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.processes.background import BackgroundThread

BARE = ("threading.Thread", "Thread", "futures.ThreadPoolExecutor", "ThreadPoolExecutor")
"""Threads that an interruption, or the end of the process, would wait for, or whose error nobody would see."""
ROOT = Path(__file__).parents[3]
HERE = ContextVar("HERE", default="nowhere")


def ended(error: BaseException) -> BackgroundThread:
    def work() -> None:
        raise error

    thread = BackgroundThread(work, "worker")
    thread.start()
    assert thread.leave()
    return thread


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(0), KeyboardInterrupt(), MemoryError()])
def test_the_error_that_ended_it_is_named(error: BaseException) -> None:
    with pytest.raises(InfraError, match="thread 'worker' was ended by") as caught:
        ended(error).check()
    assert caught.value.__cause__ is error and repr(error) in str(caught.value)


def test_an_error_in_our_words_arrives_as_it_is() -> None:
    error = InfraError("silent")
    with pytest.raises(InfraError) as caught:
        ended(error).check()
    assert caught.value is error


def test_one_that_works_or_has_done_its_work_passes() -> None:
    go_on, seen = threading.Event(), list[str]()
    HERE.set("here")
    thread = BackgroundThread(lambda: seen.append(HERE.get()) if go_on.wait(60) else None, "worker")
    thread.check()
    thread.start()
    thread.check()
    began = time.monotonic()
    assert not thread.leave(0.1) and time.monotonic() - began < 5
    go_on.set()
    assert thread.leave(60)
    thread.check()
    assert seen == ["here"]


def sources() -> Iterator[Path]:
    for room in ("jepa", "pipelines", "flows", "infra"):
        yield from (ROOT / room).rglob("*.py")


def test_every_thread_of_ours_is_one() -> None:
    bare = [
        str(path.relative_to(ROOT))
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in BARE
    ]
    assert bare == []
