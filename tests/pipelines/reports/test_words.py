"""Figures and identifiers as people read them."""

import numpy as np

from pipelines.reports.words import change_words, digits, duration_words, figure_words, goal_words, plain, value_words


def test_a_figure_has_the_digits_that_it_deserves() -> None:
    figures = [0.12345, -1.5, 12.34, 12345.6, -0.0002, float("nan")]
    assert [digits(value) for value in figures] == ["0.123", "−1.500", "12.3", "12346", "0.000", "–"]


def test_a_share_is_read_in_per_cent_and_a_change_with_its_sign() -> None:
    assert [figure_words(0.254, True), figure_words(0.254), figure_words(float("nan"), True)] == ["25 %", "0.254", "–"]
    assert [change_words(value, True) for value in (0.1, -0.1, 0.0)] == ["+10 %", "−10 %", "0 %"]


def test_a_duration_has_its_unit() -> None:
    durations = [0.00004, 0.0123, 0.0996, 0.456, 12.34]
    assert [duration_words(value) for value in durations] == ["< 0.1 ms", "12 ms", "99.6 ms", "456 ms", "12.3 s"]


def test_identifiers_become_words() -> None:
    assert plain("agent_position") == "agent position" and plain("mlp") == "MLP"
    assert len(plain("x" * 100)) == 40 and plain("x" * 100).endswith("…")
    assert goal_words("cross_room") == "cross-room"
    assert [value_words("goal", "cross_room"), value_words("shift", "cross_room")] == ["cross-room", "cross room"]
    assert value_words("goal", None) == value_words("offset", None) == "–"
    assert value_words("offset", 25) == "25 steps ahead"
    assert [value_words("head", value) for value in (True, np.False_, 0.50, 3)] == ["head", "no head", "0.5", "3"]
