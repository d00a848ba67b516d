"""A pool gives what its calls return, in order, in few threads, and waits for nobody once something went wrong."""

import threading
import time

import pytest

from infra.processes.pool import ThreadPool


def test_calls_return_in_order_in_a_bounded_number_of_threads() -> None:
    names = set[str]()

    def square(number: int) -> int:
        names.add(threading.current_thread().name)
        time.sleep(0.01 * (number % 3))
        return number * number

    with ThreadPool(3, "square") as pool:
        assert list(pool.map(square, range(30))) == [number * number for number in range(30)]
    assert names <= {"square-0", "square-1", "square-2"}
    with ThreadPool(3, "none") as empty:
        assert list(empty.map(square, [])) == []


def test_at_its_end_all_calls_were_done() -> None:
    done = list[int]()
    with ThreadPool(2, "append") as pool:
        futures = [pool.submit(done.append, number) for number in range(20)]
    assert sorted(done) == list(range(20)) and all(future.done() for future in futures)
    with pytest.raises(RuntimeError):
        pool.submit(done.append, 20)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("bad")])
def test_an_error_in_the_block_waits_for_no_call(error: BaseException) -> None:
    go_on, begun = threading.Event(), list[int]()

    def hang(number: int) -> None:
        begun.append(number)
        go_on.wait(60)

    began = time.monotonic()
    with pytest.raises(type(error)), ThreadPool(2, "hang") as pool:
        futures = [pool.submit(hang, number) for number in range(10)]
        raise error
    assert time.monotonic() - began < 5
    go_on.set()
    assert len(begun) <= 2 and sum(future.cancelled() for future in futures) >= 8


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3)])
def test_the_error_of_a_call_is_its_callers(error: BaseException) -> None:
    def fail(number: int) -> int:
        if number == 2:
            raise error
        return number

    with pytest.raises(type(error)) as caught, ThreadPool(1, "fail") as pool:
        list(pool.map(fail, range(5)))
    assert caught.value is error
