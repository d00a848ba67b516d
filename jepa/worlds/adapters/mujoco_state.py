"""What adapters of MuJoCo share: states in which no past goes on acting, and renderers that end cleanly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def settle(mujoco: Any, model: Any, data: Any, position: Floats, velocity: Floats, control: Floats) -> None:
    """Makes everything in `data` a function of generalised positions, velocities and controls.

    The solver starts its next step from the forces of the last one; a reset drops them. Rounding the values to float32
    before they come here lets a recorded state be the very state that went on.
    """
    mujoco.mj_resetData(model, data)
    data.qpos[:], data.qvel[:], data.ctrl[:] = position, velocity, control
    mujoco.mj_forward(model, data)


def rounded(values: Any) -> Floats:
    """Returns a copy in float32."""
    return np.array(values, dtype=np.float32)


def close_renderer(renderer: Any) -> None:
    """Closes a `mujoco.Renderer` without harm to another one that is open.

    Its own `close` deletes buffers and textures by number in whatever context is current, which may be another
    renderer's; deleted in its own context first, they leave nothing that it could delete there.
    """
    renderer._gl_context.make_current()
    renderer._mjr_context.free()
    renderer.close()
