"""Bars: one for each value, a panel for each split and each value of one more column."""

import pytest

from jepa.core.errors import InputError
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_bars_are_named_measured_and_split_into_panels() -> None:
    rows = frame(
        "metrics",
        [
            synthetic.metric("luck", "hits", 0.25, quantity="dice", split="test"),
            synthetic.metric("luck", "hits", 0.75, quantity="coin_toss", split="unseen", ci_low=None, ci_high=None),
        ],
    )
    (block,) = drawn("bars", "metrics", rows, label="quantity", title="hits, {unit}", percent=True)
    assert block.heading == "Chart · scope"
    for text in ("25 %", "75 %", "dice", "coin toss", "test episodes", "unseen episodes", "hits, 1"):
        assert text in block.content, text


def test_a_unit_is_text_and_no_template() -> None:
    rows = frame("metrics", [synthetic.metric("luck", "hits", 0.25, unit="{0.__class__}")])
    (block,) = drawn("bars", "metrics", rows, title="in {unit}")
    assert "in {0.__class__}" in block.content


def test_a_column_that_is_not_there_is_named() -> None:
    rows = frame("metrics", [synthetic.metric("luck", "hits", 0.25)])
    with pytest.raises(InputError, match=r"option label of a chart of drawing 'bars' is 'hue'; name a column of table"):
        drawn("bars", "metrics", rows, label="hue")


@pytest.mark.parametrize(("panels", "width"), [(1, 4.3), (2, 8.0), (6, 14.4)])
def test_every_panel_has_room_for_its_title(panels: int, width: float) -> None:
    rows = [synthetic.metric("luck", "hits", 0.25, quantity="dice", goal=f"goal_{place}") for place in range(panels)]
    (block,) = drawn("bars", "metrics", frame("metrics", rows), label="quantity", panel="goal")
    shown = float(str(block.content).split('viewBox="0 0 ')[1].split()[0]) / 72
    assert shown == pytest.approx(width + 0.4 + 0.075 * len("dice"), abs=0.01)
    # Names stand once, however many panels there are.
    assert block.content.count(">dice</text>") == 1 and block.content.count(">goal-") == panels
