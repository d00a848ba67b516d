"""Lines: of any table with two numbers, one for each value of a third column."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_lines_are_named_by_their_series() -> None:
    steps = frame("steps", synthetic.surprise_steps(3))
    (block,) = drawn("lines", "steps", steps, x="step", y="surprise", series="shift")
    assert block.heading == "Chart · scope"
    assert all(text in block.content for text in ("teleport", "recolour", "step", "surprise"))


def test_one_line_needs_no_name_and_shows_its_interval() -> None:
    rows = [synthetic.metric("luck", "hits", 0.1 * n, strength=float(n)) for n in range(4)]
    (with_band,) = drawn("lines", "metrics", frame("metrics", rows), x="strength")
    assert "PolyCollection" in with_band.content or with_band.content.count("fill-opacity") == 1
