"""A world and an objective that are slow while a file says so, so that a run can be met in any of its phases."""

import os
from pathlib import Path

from tests.conftest import ROOT

NAME = "held_additions"
SOURCE = '''
"""Two-Room and its reconstruction, slow in one phase."""

import os
import time
from dataclasses import replace
from pathlib import Path

from jepa.objectives.objective import OBJECTIVES
from jepa.objectives.reconstruction import Reconstruction
from jepa.worlds.two_room.world import TwoRoom
from jepa.worlds.registry import WORLDS


def hold(what):
    """Waits for a moment where the file wants that."""
    file = Path(os.environ["HOLD_FILE"])
    if file.exists() and file.read_text() == what:
        time.sleep(0.5)


@WORLDS.register("held_room")
class HeldRoom(TwoRoom):
    """Two-Room that may be slow to step."""

    world_spec = replace(TwoRoom.world_spec, name="held_room", policy={"random": 1.0})

    def advance(self, *arguments, **options):
        hold("world")
        return super().advance(*arguments, **options)


@OBJECTIVES.register("held")
class Held(Reconstruction):
    """Reconstruction that may be slow to compute."""

    def forward(self, *arguments, **options):
        hold("training")
        return super().forward(*arguments, **options)
'''


class Held:
    """The module, and the file that makes it slow."""

    def __init__(self, folder: Path) -> None:
        """Writes the module; nothing is slow yet."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{NAME}.py").write_text(SOURCE)
        self._folder, self._file = folder, folder / "hold"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a worker or a command whose runs are held."""
        path = os.pathsep.join((str(ROOT), str(self._folder)))
        return {"JEPA_IMPORT": NAME, "HOLD_FILE": str(self._file), "PYTHONPATH": path}

    def hold(self, what: str) -> None:
        """Makes the steps of the `world` slow, or those of the `training`."""
        self._file.write_text(what)

    def release(self) -> None:
        """Lets everything run at its own speed."""
        self._file.unlink(missing_ok=True)
