"""A Gymnasium environment of any spaces, to be registered for the length of a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

ID = "Odd-v0"
NAME = f"gymnasium:{ID}"


class Odd(gymnasium.Env[Any, Any]):
    """Takes note of its actions; its observation counts steps unless it is to return something else."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - Gymnasium declares it so
    action_space: Any = Discrete(2)
    observation_space: Any = Box(-1e9, 1e9, (2,))
    taken: list[Any] = []  # noqa: RUF012 - shared on purpose: the world makes the environment, a test looks here
    observe: Callable[[int], Any] = staticmethod(lambda step: np.full(2, step, dtype=np.float32))
    paint: Callable[[int], Any] = staticmethod(lambda step: np.full((20, 20, 3), min(10 * step, 255), dtype=np.uint8))
    ends_after: float = float("inf")

    def __init__(self, render_mode: str | None = None, **kwargs: Any) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.step_number = 0
        self.length = self.ends_after + int(self.np_random.integers(4)) if self.ends_after < np.inf else np.inf
        return type(self).observe(0), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.taken.append(action)
        self.step_number += 1
        return type(self).observe(self.step_number), 0.0, self.step_number >= self.length, False, {}

    def render(self) -> Any:
        return type(self).paint(self.step_number)


@contextmanager
def registered(**facts: Any) -> Iterator[type[Odd]]:
    """Registers a subclass with some facts of its own under `ID`."""
    from jepa.worlds.adapters.any_gymnasium.world import world_class

    functions = {name: staticmethod(value) for name, value in facts.items() if name in ("observe", "paint")}
    kind: type[Odd] = type("OneOdd", (Odd,), {"taken": [], **facts, **functions})
    # Gymnasium's own checker would warn of what is odd on purpose.
    gymnasium.register(ID, kind, disable_env_checker=True)
    world_class.cache_clear()
    try:
        yield kind
    finally:
        del gymnasium.registry[ID]
        world_class.cache_clear()
