"""How far a cube is turned from another one, when its sides cannot be told apart.

Shapes: N pairs of quaternions (w, x, y, z).
"""

import numpy as np
from numpy.typing import NDArray


def turn(a_N4: NDArray[np.float32], b_N4: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the least angle in radians (N,) between two orientations of a cube, over its 24 rotations.

    With r = a⁻¹ b the cosine of half the angle is the largest |⟨r, g⟩| over the rotations g of the cube, whose
    quaternions are, in any order and with any signs, (1, 0, 0, 0), (1, 1, 0, 0)/√2 and (1, 1, 1, 1)/2. The largest
    product with each of the three is had from the largest of |r|'s components.
    """
    (w, x, y, z), (p, q, r, s) = (_unit(quaternion_N4).T for quaternion_N4 in (a_N4, b_N4))
    relative_4N = [
        w * p + x * q + y * r + z * s,
        w * q - x * p - y * s + z * r,
        w * r + x * s - y * p - z * q,
        w * s - x * r + y * q - z * p,
    ]
    size_4N = -np.sort(-np.abs(relative_4N), axis=0)
    cosine_N = np.max([size_4N[0], size_4N[:2].sum(axis=0) / 2**0.5, size_4N.sum(axis=0) / 2], axis=0)
    return np.asarray(2 * np.arccos(np.clip(cosine_N, 0, 1)))


def _unit(quaternion_N4: NDArray[np.float32]) -> NDArray[np.float64]:
    wide_N4 = np.asarray(quaternion_N4, dtype=np.float64)
    return np.asarray(wide_N4 / np.linalg.norm(wide_N4, axis=1, keepdims=True))
