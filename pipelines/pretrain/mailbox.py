"""How a driver and its Ray workers talk while they train: figures and sentences one way, a notice to stop the other."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

COLLECT_SECONDS = 0.5
"""Time between two looks of the driver at what came."""

Message = tuple[str, Any]
"""What it is, and its content."""


class _Box:
    """An actor that holds messages until the driver collects them."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._notice = False

    def tell(self, message: Message) -> None:
        self._messages.append(message)

    def collect(self) -> list[Message]:
        messages, self._messages = self._messages, []
        return messages

    def give_notice(self) -> None:
        self._notice = True

    def noticed(self) -> bool:
        return self._notice


class Post:
    """A box that driver and workers hold; it lies on the driver's node, which ends no earlier than the training."""

    def __init__(self) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._box: Any = ray.remote(num_cpus=0)(_Box).options(scheduling_strategy=here).remote()

    def tell(self, what: str, content: Any, *, surely: bool = False) -> None:
        """Sends a message from a worker; `surely` waits until it has arrived."""
        import ray

        arrival = self._box.tell.remote((what, content))
        if surely:
            ray.get(arrival)

    def noticed(self) -> bool:
        """Returns, in a worker, whether the driver has been told to make room."""
        import ray
        from ray.exceptions import RayError

        try:
            return bool(ray.get(self._box.noticed.remote(), timeout=10))
        except RayError:
            return False  # a driver that is gone takes its workers with it

    @contextlib.contextmanager
    def listening(self, hear: Callable[[str, Any], None], noticed: Callable[[], bool]) -> Iterator[None]:
        """Hands each message to `hear`, in another thread; all that was sent before is heard when the block ends.

        Args:
            hear: takes what a message is and its content.
            noticed: whether the workers are to be told to make room.
        """
        over = threading.Event()
        thread = threading.Thread(target=self._listen, args=(hear, noticed, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def close(self) -> None:
        """Ends the box."""
        import ray

        ray.kill(self._box)

    def _listen(self, hear: Callable[[str, Any], None], noticed: Callable[[], bool], over: threading.Event) -> None:
        import ray
        from ray.exceptions import RayError

        passed_on = False
        ending = False
        while not ending:
            ending = over.wait(COLLECT_SECONDS)
            try:
                for what, content in ray.get(self._box.collect.remote()):
                    hear(what, content)
                if noticed() and not passed_on:
                    self._box.give_notice.remote()
                    passed_on = True
            except RayError:
                return  # the cluster is gone; `fit` says so itself
