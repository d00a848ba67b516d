"""Pictures of the arm, and the encoder of frames."""

import math

import numpy as np
import pytest
import torch

from jepa.studies.identifiability.cell import IdentifiabilityCell
from jepa.studies.identifiability.experiments.pixels import FrameEncoder, draw_arm, run_reacher


def test_an_arm_points_where_its_angles_say() -> None:
    frames = draw_arm(torch.tensor([[0.0, 0.0], [math.pi / 2, 0.0], [0.0, math.pi / 2]]), 32)
    assert frames.shape == (3, 3, 32, 32) and frames.min() >= 0 and frames.max() <= 1
    tips = [np.unravel_index(int(frame[2].argmax()), (32, 32)) for frame in frames]
    assert tips[0][1] > 28 and abs(tips[0][0] - 15.5) < 1.5  # to the right
    assert tips[1][0] > 28 and abs(tips[1][1] - 15.5) < 1.5  # a quarter turn
    assert abs(tips[2][1] - 24) < 2 and abs(tips[2][0] - 22) < 2  # bent at the elbow
    assert frames[0, 0, 15:17, 20].min() > 0.5 and frames[0, 0, 15:17, 28].max() < 0.1  # the upper arm ends before


@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_frames_of_any_size_are_encoded(size: int) -> None:
    assert FrameEncoder(size, 16, 2)(torch.rand(5, 3, size, size)).shape == (5, 2)


@pytest.mark.slow
def test_reacher_renders_the_angles_that_it_is_given() -> None:
    fields = {"experiment": "reacher", "image_size": 32, "frames": 40, "steps": 2, "batch": 16, "samples": 60}
    cell = IdentifiabilityCell.model_validate({**fields, "width": 8, "directions": 4})
    found = {one.metric: one.value for one in run_reacher(cell).measures}
    assert 0 <= found["r2"] <= 1 and found["error"] > 0
