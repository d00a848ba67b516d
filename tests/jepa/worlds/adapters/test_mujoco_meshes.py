"""Meshes with fewer faces: which are dropped, and what is left of those that stay."""

import numpy as np
import pytest

from jepa.worlds.adapters.mujoco_meshes import coarsen
from jepa.worlds.adapters.packages import import_package

SPHERE_AND_BOX = """
<mujoco><asset>
<mesh name="ball" builtin="sphere" params="4" scale=".1 .1 .1"/>
<mesh name="box" vertex="0 0 0  1 0 0  0 1 0  0 0 1  1 1 0  1 0 1  0 1 1  1 1 1" scale=".1 .1 .1"/>
</asset><worldbody><geom type="mesh" mesh="ball"/><geom type="mesh" mesh="box" pos="1 0 0"/></worldbody></mujoco>
"""


@pytest.mark.parametrize(("cell", "most"), [(0.02, 0.5), (0.05, 0.1)])
def test_faces_stay_on_the_surface_and_large_ones_stay_as_they_are(cell: float, most: float) -> None:
    mujoco = import_package("cube", "mujoco")
    model = mujoco.MjModel.from_xml_string(SPHERE_AND_BOX)
    before = model.mesh_facenum.copy(), model.mesh_face.copy(), model.mesh_vert.copy()
    coarsen(model, cell)
    faces = model.mesh_facenum
    assert 8 < faces[0] < most * before[0][0] and faces[1] == before[0][1] == 12
    ball, box = (slice(start, start + count) for start, count in zip(model.mesh_faceadr, faces, strict=True))
    np.testing.assert_array_equal(model.mesh_face[box], before[1][box])
    np.testing.assert_array_equal(model.mesh_vert, before[2])
    corners = model.mesh_vert[model.mesh_face[ball]]
    np.testing.assert_allclose(np.linalg.norm(corners, axis=-1), 0.1, atol=1e-6)
    # They still look outwards, and no corner is there twice.
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("fk,fk->f", normal, corners.mean(axis=1)) > 0).mean() > 0.95
    assert all(len(set(face)) == 3 for face in model.mesh_face[ball].tolist())


def test_both_sides_of_a_plate_are_kept_and_doubles_are_not() -> None:
    mujoco = import_package("cube", "mujoco")
    plate = """<mujoco><asset><mesh name="plate" vertex="0 0 0  .1 0 0  0 .1 0  .00001 0 0  0 0 .1"
    face="0 1 2  2 1 0  3 1 2  0 4 1  0 3 1"/></asset>
    <worldbody><geom type="mesh" mesh="plate"/></worldbody></mujoco>"""
    model = mujoco.MjModel.from_xml_string(plate)
    before = model.mesh_face.tolist()
    coarsen(model, 0.02)
    assert model.mesh_facenum.tolist() == [3], "neither the double nor the one of two corners"
    left = [{tuple(face[turn:] + face[:turn]) for turn in range(3)} for face in model.mesh_face[:3].tolist()]
    assert [tuple(before[n]) in left[place] for place, n in enumerate((0, 1, 3))] == [True] * 3
