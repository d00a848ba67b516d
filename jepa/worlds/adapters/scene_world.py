"""The base of adapters: N copies that take turns in one scene of somebody's package.

A state is all there is to a copy, so one scene serves all of them: it is put into a copy's state, moved, and read
again. A world of a thousand copies therefore costs no more memory than one, and whose turn it was shows nowhere.
Shapes: N copies, H × W pixels, A action dimensions, d dimensions of a quantity.
"""

import atexit
import weakref
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels, State
from jepa.core.seeds import episode_generator, numpy_generator
from jepa.worlds.world import World

Floats = NDArray[np.float32]
Row = Mapping[str, Floats]
"""The state of one copy, (d,) by quantity."""


class SceneWorld(World):
    """N copies of a world whose package simulates one scene at a time.

    A subclass says what happens to the scene; after `_start`, `_load`, `_move` and `_disturb` the scene has to be a
    function of what `_read` returns and of nothing else, which is what makes restoring exact.
    """

    _turn: int | None = None
    """Whose state the scene is in; None where it has to be loaded first."""
    _second: Any = None
    """Where each copy's duplicate is, seen from the first: N of whatever `_render` takes, or None."""
    _moves: ClassVar[tuple[str, ...]] = ("teleport", "recolour", "pass_through", "reverse_velocity")
    """Perturbations that change the state at once, in `_disturb`; `_move` and `_render` follow the others."""

    def begin(self, seeds: Sequence[int], variations: Sequence[Mapping[str, float]]) -> None:
        """Starts an episode in every copy, its scene drawn from its own seed."""
        self._lasting.clear()
        rows = []
        for seed, variation in zip(seeds, variations, strict=True):
            self._start(episode_generator(seed, "scene"), variation)
            rows.append(self._read())
        self._take_over(rows)

    def advance(self, action_NA: Actions) -> None:
        """Steps every copy's physics in its turn, without rendering."""
        spec = self.world_spec
        actions = np.clip(np.asarray(action_NA, dtype=np.float32), spec.action_low, spec.action_high)
        rows = []
        for n, action_A in enumerate(self._lasting.action(actions, spec.idle_action)):
            self._give_turn(n)
            self._move(action_A)
            rows.append(self._read())
        self._take_over(rows)
        self._lasting.end_step()

    def render_pixels(self) -> Pixels:
        """Returns the package's own pictures, uint8 (N, H, W, 3)."""
        frames = []
        for n in range(self.num_envs):
            self._give_turn(n)
            frames.append(self._render())
        return np.stack(frames)

    def state(self) -> State:
        """Returns the quantities of `world_spec`, float32 (N, d)."""
        return {name: value.copy() for name, value in self._state.items()}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Takes over a recorded state; what follows is bit for bit what followed the recording."""
        self._state = {
            quantity.name: np.array(state[quantity.name], dtype=np.float32) for quantity in self.world_spec.quantities
        }
        self._lasting.clear()
        self._turn = None

    def _strike(self, kind: str, rngs: Sequence[np.random.Generator], strength: float | None) -> NDArray[np.bool_]:
        """Strikes every copy in its turn; what is none of `_moves` is in force for as long as it lasts."""
        declared = self.world_spec.perturbation(kind)
        if kind not in self._moves:
            self._lasting.start(declared, declared.full(strength))
        rows, struck = [], []
        for n, rng in enumerate(rngs):
            self._give_turn(n)
            struck.append(self._disturb(kind, self._row_of(n), rng, strength))
            rows.append(self._read())
        self._take_over(rows)
        return np.array(struck)

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the scene, as the end of the process would."""
        self._finalizer()

    def _open(self, close: Callable[[], object]) -> None:
        """Ends a constructor: every copy shows a first scene, and `close` runs when the world goes, at exit at last."""
        # A renderer that is closed after its library prints traces. What is registered late runs early at exit, but
        # finalizers run where the first of the process was registered, before any renderer was there.
        self._finalizer = weakref.finalize(self, close)
        self._finalizer.atexit = False
        atexit.register(self._finalizer)
        middle = {factor.name: (factor.low + factor.high) / 2 for factor in self.world_spec.factors}
        self._start(numpy_generator(0), middle)
        self._take_over([self._read()] * self.num_envs)

    def _row_of(self, n: int) -> Row:
        return {name: value[n] for name, value in self._state.items()}

    def _give_turn(self, n: int) -> None:
        if self._turn != n:
            self._load(self._row_of(n))
            self._turn = n

    def _take_over(self, rows: Sequence[Row]) -> None:
        """Makes one row a copy the state; the scene is left as the last copy's."""
        self._state = {name: np.stack([row[name] for row in rows]).astype(np.float32) for name in rows[0]}
        self._turn = len(rows) - 1

    @abstractmethod
    def _start(self, rng: np.random.Generator, variation: Mapping[str, float]) -> None:
        """Puts the scene into a first state drawn from `rng`, with these factors."""

    @abstractmethod
    def _load(self, row: Row) -> None:
        """Puts the scene into a state that `_read` returned once."""

    @abstractmethod
    def _move(self, action_A: Floats) -> None:
        """Runs the scene for one step."""

    @abstractmethod
    def _read(self) -> Row:
        """Returns every quantity of the scene."""

    @abstractmethod
    def _render(self) -> Pixels:
        """Returns uint8 (H, W, 3)."""

    @abstractmethod
    def _disturb(self, kind: str, row: Row, rng: np.random.Generator, strength: float | None) -> bool:
        """Strikes the scene, which is in the state `row` and copy `_turn`'s, and returns whether it could be."""
