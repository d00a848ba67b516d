"""How MuJoCo's meshes are drawn with fewer faces, where drawing them is what a frame costs.

Shapes: V vertices and F faces of one mesh, K faces that are left of it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def coarsen(model: Any, cell: float) -> None:
    """Merges the vertices of each mesh that lie in one cube of side `cell` metres, and drops the faces lost by it.

    Contacts stay as they are: MuJoCo finds them by vertices and hulls, and only what is drawn, or hit by its rays, is
    made of faces. A renderer takes over the faces when it is made, so this has to come before.
    """
    for mesh in range(model.nmesh):
        first, count = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
        vertex, vertices = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
        own = slice(first, first + count)
        cell_V, kept_C = _cells(model.mesh_vert[vertex : vertex + vertices], cell)
        cells_F3 = cell_V[model.mesh_face[own]]
        left_K = _distinct(cells_F3)
        for corners in (model.mesh_facenormal, model.mesh_facetexcoord):
            corners[first : first + len(left_K)] = corners[own][left_K]
        model.mesh_face[first : first + len(left_K)] = kept_C[cells_F3[left_K]]
        model.mesh_facenum[mesh] = len(left_K)


def _cells(place_V3: NDArray[np.float32], cell: float) -> tuple[Indices, Indices]:
    """Returns the cell of each vertex (V,), by number, and for each cell its vertex nearest to their mean, (C,)."""
    _, cell_V = np.unique(np.floor(place_V3 / cell).astype(np.int64), axis=0, return_inverse=True)
    cell_V = cell_V.reshape(-1)
    members_C = np.bincount(cell_V)
    mean_C3 = np.stack([np.bincount(cell_V, place_V3[:, axis]) / members_C for axis in range(3)], axis=1)
    off_V = np.square(place_V3 - mean_C3[cell_V]).sum(axis=1)
    order_V = np.lexsort((off_V, cell_V))
    return cell_V, order_V[np.concatenate([[0], np.cumsum(members_C)[:-1]])]


def _distinct(cells_F3: Indices) -> Indices:
    """Returns which faces still have three corners, (K,) in order; of those with the same corners, the first.

    The two sides of a thin plate have the same corners the other way round, and both are kept.
    """
    a_F, b_F, c_F = cells_F3.T
    whole_F = np.flatnonzero((a_F != b_F) & (b_F != c_F) & (c_F != a_F))
    corners_F3 = cells_F3[whole_F]
    turns_F3 = (corners_F3.argmin(axis=1)[:, None] + np.arange(3)) % 3
    _, first_K = np.unique(np.take_along_axis(corners_F3, turns_F3, axis=1), axis=0, return_index=True)
    return np.sort(whole_F[first_K])
