"""Surprise curves: beside the same episodes without the event, and frames around it."""

import numpy as np
import pytest

from pipelines.reports.page.drawings.of_evaluations.surprise.surprise_curves import mean_and_band
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_curves_then_an_example_of_each_perturbation() -> None:
    steps = frame("steps", synthetic.surprise_steps(3))
    curves, *strips = drawn("surprise_curves", "steps", steps, frame("metrics", synthetic.surprise_metrics()))
    assert "teleport · AUROC 0.999" in curves.content and "steps from the event, n 3" in curves.content
    assert ["recolour at step 30" in strip.content for strip in strips] == [True, False]
    assert all(strip.content.count("<img") == 9 and strip.reading == "" for strip in strips)
    assert all(strip.content.count('class="marked"') == 1 for strip in strips)


def test_the_band_is_over_episodes_and_rare_times_are_left_out() -> None:
    steps = frame("steps", synthetic.surprise_steps(4))
    own = steps[(steps["shift"] == "teleport") & steps.perturbed]
    curve = mean_and_band(own)
    at = own[own.step == 30].surprise
    assert (
        curve["mean"][0] == pytest.approx(np.exp(np.log(at).mean())) and curve.low[0] < curve["mean"][0] < curve.high[0]
    )
    assert 30 not in mean_and_band(own[(own.step < 60) | (own.episode == 900)]).index
