"""Whatever a unit raises or returns in a Ray actor, its driver learns of it and the other units are done."""

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from infra.errors import InfraError
from jepa.core.errors import InputError
from pipelines.executor import UnitsError, run_units
from pipelines.executor.ray_pool import beat_pause
from tests.pipelines.executor.test_process_pool import named, unreadable_function
from tests.pipelines.executor.troubles import TROUBLES, Unreadable, die_while_sending, refuse_oddly, trouble
from tests.pipelines.executor.units import count_tries, square

pytestmark = pytest.mark.ray


def test_many_workers_are_asked_less_often_but_in_time() -> None:
    """A driver that asked a thousand of them each second would do nothing else."""
    assert [beat_pause(workers, None) for workers in (1, 50, 100, 1000)] == [1.0, 1.0, 2.0, 20.0]
    assert beat_pause(1000, 600.0) == 20.0 and beat_pause(1000, 40.0) == 10.0 and beat_pause(1000, 2.0) == 1.0


def test_every_failure_arrives_with_type_message_and_traceback() -> None:
    done: list[str] = []
    with pytest.raises(UnitsError) as caught:
        run_units(
            trouble,
            [*TROUBLES, *["fine"] * 4],
            executor="ray",
            workers=2,
            retries=0,
            on_result=lambda unit, _: done.append(unit),
        )
    assert done == ["fine"] * 4
    failures = caught.value.failures
    assert {name: failure.type_name for name, failure in failures.items()} == {
        name: kind for name, (kind, _) in TROUBLES.items()
    }
    for name, (_, words) in TROUBLES.items():
        assert words in failures[name].message, name
        assert "Traceback (most recent call last)" in failures[name].attempt.traceback, name
    assert isinstance(failures["gone"].error, InfraError)


def test_a_wrong_input_arrives_as_one() -> None:
    with pytest.raises(InputError, match=r"episodes is \d; take less") as caught:
        run_units(refuse_oddly, range(2), executor="ray", workers=1)
    assert "in refuse_oddly" in str(caught.value.__cause__)


def test_a_unit_that_cannot_be_sent_or_read_fails_alone() -> None:
    units = [1, threading.Lock(), Unreadable(), 3]
    with pytest.raises(UnitsError) as caught:
        run_units(named, units, executor="ray", workers=1, retries=0, name=named)
    assert {name: failure.type_name for name, failure in caught.value.failures.items()} == {
        "lock": "TypeError",
        "Unreadable": "ValueError",
    }


def test_a_function_that_workers_cannot_read_is_a_sentence() -> None:
    with pytest.raises(InfraError, match="a worker cannot start: ValueError: broken bytes"):
        run_units(partial(unreadable_function, Unreadable()), range(3), executor="ray", workers=1)


def test_a_module_that_the_cluster_cannot_import_is_a_wrong_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_IMPORT", "no_such_module_of_mine")
    with pytest.raises(InputError, match=r"a node of the Ray cluster: module 'no_such_module_of_mine' of --import"):
        run_units(square, range(3), executor="ray", workers=1)


def test_an_actor_that_dies_while_it_answers_is_replaced(tmp_path: Path) -> None:
    assert run_units(partial(die_while_sending, tmp_path), range(4), executor="ray", workers=2) == list(range(4))


def be_sent_away_at_first(folder: Path, unit: int) -> int:
    if unit == 1 and count_tries(folder, unit) < 2:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    return os.getpid()


def test_an_actor_that_is_asked_to_end_ends_and_is_replaced(tmp_path: Path) -> None:
    retried: list[BaseException] = []
    processes = run_units(
        partial(be_sent_away_at_first, tmp_path),
        [0, 1, 2],
        executor="ray",
        workers=1,
        on_retry=lambda _, error: retried.append(error),
    )
    assert len(retried) == 1 and "SIGTERM" in str(retried[0]) and len(set(processes)) == 2
