"""How a driver and its Ray workers talk while they train: messages one way, a preemption signal the other."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from infra.processes.background import BackgroundThread

log = logging.getLogger(__name__)

COLLECT_SECONDS = 0.5
"""Time between two times that the driver collects what has come."""

ANSWER_SECONDS = 60.0
"""How long the driver waits for the actor that holds the messages."""

FAILURE = "failure"
"""Kind of the message of a worker that failed for good; its content is the error."""

Message = tuple[str, Any]
"""Its kind, and its content."""


class Messages:
    """What an actor holds until the driver collects it."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._stop = self._failed = False

    def put(self, message: Message) -> None:
        """Adds a message from a worker."""
        self._messages.append(message)
        self._failed = self._failed or message[0] == FAILURE

    def failed(self) -> bool:
        """Returns whether a worker has failed for good."""
        return self._failed

    def collect(self) -> list[Message]:
        """Returns all messages since the last call, in the order in which they came."""
        messages, self._messages = self._messages, []
        return messages

    def request_stop(self) -> None:
        """Passes on that the driver has received a preemption signal."""
        self._stop = True

    def stop_requested(self) -> bool:
        """Returns whether it has."""
        return self._stop


class Mailbox:
    """Messages between driver and workers, held on the driver's node, which ends no earlier than the training."""

    def __init__(self) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._messages: Any = ray.remote(num_cpus=0)(Messages).options(scheduling_strategy=here).remote()

    def send(self, kind: str, content: Any, *, wait: bool = False) -> None:
        """Sends a message from a worker; with `wait` it returns when the message has arrived."""
        import ray

        arrival = self._messages.put.remote((kind, content))
        if wait:
            ray.get(arrival)

    def stop_requested(self) -> bool:
        """Returns, in a worker, whether the driver has received a preemption signal."""
        import ray
        from ray.exceptions import RayActorError, RayError

        try:
            return bool(ray.get(self._messages.stop_requested.remote(), timeout=10))
        except RayActorError:
            return True  # the driver has left without us
        except RayError:
            return False

    def failed(self) -> bool:
        """Returns, in a worker, whether one has failed for good, so that there is no more to do."""
        import ray

        return bool(ray.get(self._messages.failed.remote()))

    @contextlib.contextmanager
    def delivering(self, handle: Callable[[str, Any], None], stop: Callable[[], bool]) -> Iterator[Callable[[], None]]:
        """Hands each message to `handle`, in another thread; all that were sent before the block ends are handed over.

        The block gets a function that raises the error by which that thread has ended, if it has.

        Args:
            handle: takes a message's kind and content.
            stop: whether the workers are to be asked to stop.
        """
        over = threading.Event()
        thread = BackgroundThread(partial(self._deliver, handle, stop, over), "mailbox")
        thread.start()
        try:
            yield thread.check
        finally:
            over.set()
            left_in_time = thread.leave(ANSWER_SECONDS)
        thread.check()
        if not left_in_time:
            log.warning("the last messages of the workers did not come within %g s", ANSWER_SECONDS)

    def close(self) -> None:
        """Ends the actor."""
        import ray

        ray.kill(self._messages)

    def _deliver(self, handle: Callable[[str, Any], None], stop: Callable[[], bool], over: threading.Event) -> None:
        import ray
        from ray.exceptions import RayError

        passed_on = False
        ending = False
        while not ending:
            ending = over.wait(COLLECT_SECONDS)
            try:
                # First of all: whatever becomes of the messages, a stop must reach the workers.
                if stop() and not passed_on:
                    self._messages.request_stop.remote()
                    passed_on = True
                messages: list[Message] = ray.get(self._messages.collect.remote(), timeout=ANSWER_SECONDS)
            except RayError:
                return  # the cluster is gone; `fit` says so itself
            for kind, content in messages:
                try:
                    handle(kind, content)
                except Exception as error:
                    log.warning("a message of a worker (%s) was lost: %s", kind, error)
