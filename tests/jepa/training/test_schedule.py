"""The learning rate as a function of the step."""

import itertools

import pytest

from jepa.training.schedule import learning_rate_at


def test_the_rate_warms_up_and_falls_along_a_cosine() -> None:
    rates = [learning_rate_at(step, 110, peak=1.0, warmup_steps=10) for step in range(110)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert rates[10] == 1.0 and rates[60] == pytest.approx(0.5)
    assert all(a > b for a, b in itertools.pairwise(rates[10:])) and 0 < rates[-1] < 1e-3
    assert learning_rate_at(109, 110, 1.0, 10, final_share=0.1) > 0.1


def test_without_a_warm_up_the_first_step_has_the_peak_and_no_step_is_beyond_the_end() -> None:
    assert learning_rate_at(0, 50, peak=0.3, warmup_steps=0) == 0.3
    assert learning_rate_at(50, 50, peak=0.3, warmup_steps=0) == pytest.approx(0.0)
    assert learning_rate_at(80, 50, peak=0.3, warmup_steps=0, final_share=0.1) == pytest.approx(0.03)
    assert learning_rate_at(0, 1, peak=0.3, warmup_steps=1) == 0.3
