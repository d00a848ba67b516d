"""Messages between a driver and its workers arrive in order and whole; a stop is passed on the other way."""

import threading
from typing import Any

import pytest

from jepa.core.errors import InputError
from pipelines.pretrain.cluster.mailbox import FAILURE, Mailbox, Messages
from pipelines.pretrain.cluster.preemption import Preempted


def test_messages_are_collected_once_and_in_order() -> None:
    messages = Messages()
    for number in range(3):
        messages.put(("figures", number))
    assert messages.collect() == [("figures", 0), ("figures", 1), ("figures", 2)] and messages.collect() == []


def test_a_failure_is_remembered_after_it_is_collected() -> None:
    messages = Messages()
    messages.put(("warning", "something"))
    assert not messages.failed()
    messages.put((FAILURE, InputError("wrong")))
    messages.collect()
    assert messages.failed()


def test_a_stop_stays() -> None:
    messages = Messages()
    assert not messages.stop_requested()
    messages.request_stop()
    assert messages.stop_requested()


@pytest.mark.ray
@pytest.mark.slow
def test_a_driver_gets_what_workers_send_and_passes_a_stop_on(ray_cluster: None) -> None:
    import ray

    def work(mailbox: Mailbox) -> bool:
        for number in range(20):
            mailbox.send("figures", number)
        mailbox.send("preempted", Preempted(7, saved=False), wait=True)
        mailbox.send(FAILURE, InputError("wrong"), wait=True)
        return mailbox.failed()

    def wait_for_stop(mailbox: Mailbox) -> bool:
        for _ in range(600):
            if mailbox.stop_requested():
                return True
            threading.Event().wait(0.05)
        return False

    remote: Any = ray.remote(num_cpus=0)
    mailbox, got, stop = Mailbox(), list[tuple[str, Any]](), threading.Event()
    with mailbox.delivering(lambda *one: got.append(one), stop.is_set):
        assert ray.get(remote(work).remote(mailbox))
        waiting = remote(wait_for_stop).remote(mailbox)
        stop.set()
        assert ray.get(waiting)
    mailbox.close()
    assert [content for kind, content in got if kind == "figures"] == list(range(20))
    assert str(got[-2][1]) == "interrupted at step 7, whose state could not be kept; the same command goes on"
    assert got[-1][0] == FAILURE and isinstance(got[-1][1], InputError)
