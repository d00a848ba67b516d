"""Whatever a unit raises or returns in a process, its driver learns of it and the other units are done."""

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra.errors import InfraError
from jepa.core.errors import InputError
from pipelines.executor import UnitsError, run_units
from tests.pipelines.executor.troubles import (
    TROUBLES,
    Unreadable,
    beat_from_threads,
    die_while_sending,
    leave_a_child_and_die,
    refuse_oddly,
    trouble,
)
from tests.pipelines.executor.units import square

pytestmark = pytest.mark.slow


def test_every_failure_arrives_with_type_message_and_traceback() -> None:
    done: list[str] = []
    units = [*TROUBLES, *["fine"] * 4]
    with pytest.raises(UnitsError) as caught:
        run_units(trouble, units, workers=2, retries=0, on_result=lambda unit, _: done.append(unit))
    assert done == ["fine"] * 4
    failures = caught.value.failures
    assert {name: failure.type_name for name, failure in failures.items()} == {
        name: kind for name, (kind, _) in TROUBLES.items()
    }
    for name, (_, words) in TROUBLES.items():
        assert words in failures[name].message and len(failures[name].message) < 11_000
        assert "Traceback (most recent call last)" in failures[name].attempt.traceback, name
        assert len(failures[name].attempt.traceback) < 110_000
        assert failures[name].attempt.pid not in (0, os.getpid())
    assert isinstance(failures["gone"].error, InfraError)


def test_a_wrong_input_arrives_as_one() -> None:
    with pytest.raises(InputError, match="episodes is 0; take less") as caught:
        run_units(refuse_oddly, range(1), workers=1, executor="local")
    with pytest.raises(InputError, match=r"episodes is \d; take less") as caught:
        run_units(refuse_oddly, range(2), workers=2)
    assert "in refuse_oddly" in str(caught.value.__cause__)


def test_a_unit_that_cannot_be_sent_or_read_fails_alone() -> None:
    with pytest.raises(UnitsError) as caught:
        run_units(named, [1, threading.Lock(), Unreadable(), 3], workers=2, retries=0, name=named)
    assert {name: failure.type_name for name, failure in caught.value.failures.items()} == {
        "lock": "TypeError",
        "Unreadable": "ValueError",
    }


def test_a_function_that_cannot_be_sent_is_a_sentence() -> None:
    with pytest.raises(InputError, match=r"cannot be sent to worker processes .*define what it refers to in a module"):
        run_units(lambda unit: unit, range(3), workers=2)


def named(unit: object) -> str:
    return type(unit).__name__


def unreadable_function(_: Unreadable, unit: int) -> int:
    return unit


def test_a_function_that_workers_cannot_read_is_a_sentence() -> None:
    with pytest.raises(InfraError, match="a worker cannot start: ValueError: broken bytes"):
        run_units(partial(unreadable_function, Unreadable()), range(3), workers=2)


def test_a_module_that_workers_cannot_import_is_a_wrong_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_IMPORT", "no_such_module_of_mine")
    with pytest.raises(InputError, match="module 'no_such_module_of_mine' of --import cannot be imported"):
        run_units(square, range(3), workers=2)


@pytest.mark.parametrize("fault", [die_while_sending, leave_a_child_and_die])
@pytest.mark.timeout(120)
def test_a_worker_that_dies_at_an_odd_moment_is_replaced(tmp_path: Path, fault: Callable[[Path, int], Any]) -> None:
    retried: list[tuple[int, str]] = []
    results = run_units(
        partial(fault, tmp_path),
        range(4),
        workers=2,
        on_retry=lambda unit, error: retried.append((unit, str(error))),
    )
    assert results == list(range(4))
    assert [sentence for _, sentence in retried] == [f"a worker process died (exit code -{int(signal.SIGKILL)})"]


def test_heartbeats_of_several_threads_do_not_mix_with_results() -> None:
    assert run_units(beat_from_threads, range(6), workers=2, stall_seconds=60) == list(range(6))
