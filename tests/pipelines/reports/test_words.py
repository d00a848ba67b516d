"""Figures and identifiers as people read them."""

import numpy as np

from pipelines.reports.words import digits, goal_words, plain, value_words


def test_a_figure_has_the_digits_that_it_deserves() -> None:
    figures = [0.12345, -1.5, 12.34, 12345.6, -0.0002, float("nan")]
    assert [digits(value) for value in figures] == ["0.123", "−1.500", "12.3", "12346", "0.000", "–"]


def test_identifiers_become_words() -> None:
    assert plain("agent_position") == "agent position" and plain("mlp") == "MLP"
    assert len(plain("x" * 100)) == 40 and plain("x" * 100).endswith("…")
    assert goal_words("cross_room") == "cross-room"
    assert [value_words("goal", "cross_room"), value_words("shift", "cross_room")] == ["cross-room", "cross room"]
    assert value_words("goal", None) == value_words("offset", None) == "–"
    assert value_words("offset", 25) == "25 steps ahead"
    assert [value_words("head", value) for value in (True, np.False_, 0.50, 3)] == ["head", "no head", "0.5", "3"]
