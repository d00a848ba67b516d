"""Perturbations that last: what is in force in a world beside its state.

Shapes: N copies, A action dimensions.
"""

import numpy as np

from jepa.core.episodes import Actions
from jepa.worlds.perturbations.perturbation import STEPS, Perturbation

IGNORE_ACTION, REVERSE = "ignore_action", "reverse"


class Lasting:
    """What is in force in all copies of a world and is no part of its state; `begin` and `restore` end it.

    Looks last until then, and what an action does for so many steps.
    """

    def __init__(self) -> None:
        self._looks: dict[str, float] = {}
        self._steps_left: dict[str, int] = {}

    def clear(self) -> None:
        """Ends everything."""
        self._looks.clear()
        self._steps_left.clear()

    def start(self, perturbation: Perturbation, strength: float) -> None:
        """Puts a perturbation in force, in place of an earlier one of its name."""
        if perturbation.unit == STEPS:
            self._steps_left[perturbation.name] = int(strength)
        else:
            self._looks[perturbation.name] = strength

    @property
    def looks(self) -> bool:
        """Whether some change of looks is in force."""
        return bool(self._looks)

    def strength(self, name: str) -> float:
        """Returns the strength of a change of looks, 0 where there is none."""
        return self._looks.get(name, 0.0)

    def acts(self, name: str) -> bool:
        """Whether a perturbation is in force in the next step."""
        return name in self._steps_left

    def action(self, action_NA: Actions, idle: float) -> Actions:
        """Returns what the next step does in place of an action: nothing, the opposite, or that action."""
        if self.acts(IGNORE_ACTION):
            return np.full_like(action_NA, idle)
        return 2 * np.float32(idle) - action_NA if self.acts(REVERSE) else action_NA

    def end_step(self) -> None:
        """Counts a step down."""
        if self._steps_left:
            self._steps_left = {name: left - 1 for name, left in self._steps_left.items() if left > 1}
