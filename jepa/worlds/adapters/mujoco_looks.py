"""How MuJoCo's picture of a thing is changed and its physics is not: larger, faded, or twice.

A scene here is a `mujoco.MjvScene`, what is drawn of a state.
"""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Pixels
from jepa.worlds.perturbations import Lasting

NOWHERE = (0.0, 0.0, -1000.0)
Place = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Position (3,) and rotation (3, 3)."""
MATERIAL = ("matid", "dataid", "emission", "specular", "shininess", "reflectance", "category", "texcoord", "segid")
"""What a copy takes over besides shape, place and colour."""


def render_looks(
    mujoco: Any, renderer: Any, things: Collection[int], lasting: Lasting, second: Callable[[Place], Place] | None
) -> Pixels:
    """Returns a picture (H, W, 3) in which some of the model's geometries look as they are perturbed.

    Args:
        mujoco: the package.
        renderer: a `mujoco.Renderer` whose scene was just updated.
        things: numbers of the geometries.
        lasting: `resize` makes them larger, or thicker where they are long; `vanish` fades them.
        second: where a copy of a geometry goes, from where it is; None for no copies.
    """
    scene, larger, lost = renderer.scene, 1 + lasting.strength("resize"), lasting.strength("vanish")
    shown = [scene.geoms[i] for i in range(scene.ngeom)]
    own = [one for one in shown if one.objtype == mujoco.mjtObj.mjOBJ_GEOM and one.objid in things]
    if second is not None:
        own += [_copy(mujoco, scene, one, second) for one in list(own)]
    for one in own:
        one.size[: 2 if one.type == mujoco.mjtGeom.mjGEOM_CAPSULE else 3] *= larger
    picture: Pixels = np.array(renderer.render())
    if not lost:
        return picture
    # Fading by MuJoCo's own transparency would leave the thing's shadow.
    for one in own:
        one.pos[:] = NOWHERE
    without = renderer.render().astype(np.float32)
    faded: Pixels = np.round(picture + np.float32(lost) * (without - picture)).astype(np.uint8)
    return faded


def _copy(mujoco: Any, scene: Any, original: Any, second: Callable[[Place], Place]) -> Any:
    copy = scene.geoms[scene.ngeom]
    position_3, rotation_33 = second((original.pos.astype(np.float64), original.mat.astype(np.float64)))
    size_3 = original.size.astype(np.float64)
    mujoco.mjv_initGeom(copy, original.type, size_3, position_3, rotation_33.reshape(-1), original.rgba)
    for name in MATERIAL:
        if hasattr(original, name):
            setattr(copy, name, getattr(original, name))
    # That function takes a model's sizes, which for some types are in another order.
    copy.size[:] = original.size
    scene.ngeom += 1
    return copy
