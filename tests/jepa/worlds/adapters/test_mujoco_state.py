"""A MuJoCo state with no memory: whatever came before, what is set is all there is."""

import numpy as np

from jepa.worlds.adapters.mujoco_state import rounded, settle
from jepa.worlds.adapters.packages import import_package
from tests.narrow import floats

FALLING_BOX = """
<mujoco><worldbody><geom type="plane" size="2 2 .1"/>
<body pos="0 0 .099"><freejoint/><geom type="box" size=".1 .1 .1"/></body></worldbody></mujoco>
"""


def test_the_future_of_a_settled_state_is_its_own() -> None:
    mujoco = import_package("cube", "mujoco")
    model = mujoco.MjModel.from_xml_string(FALLING_BOX)
    fresh, used = mujoco.MjData(model), mujoco.MjData(model)
    used.qvel[:3] = 3, 1, -2
    for _ in range(50):  # contacts leave the solver something to start from
        mujoco.mj_step(model, used)
    position, velocity = rounded(fresh.qpos), floats([0.1, 0, -0.2, 0, 0, 0.3])
    for data in (fresh, used):
        settle(mujoco, model, data, position, velocity, np.zeros(0, dtype=np.float32))
        mujoco.mj_step(model, data, nstep=20)
    np.testing.assert_array_equal(fresh.qpos, used.qpos)
    np.testing.assert_array_equal(fresh.qvel, used.qvel)


def test_rounding_copies_and_keeps_float32() -> None:
    values = np.array([1 / 3, 2.0])
    copy = rounded(values)
    values[0] = 0
    assert copy.dtype == np.float32 and copy[0] == np.float32(1 / 3) and rounded(copy)[0] == copy[0]
