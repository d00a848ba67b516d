"""Strips: of any table with pictures, one for each episode."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import AMOUNTS, drawn, frame


def test_an_episode_has_a_strip_in_the_order_of_its_steps() -> None:
    rows = [row for row in synthetic.decoding_rows(blocks=12)["pictures"] if row["source"] == "true"]
    (block,) = drawn("strips", "pictures", frame("pictures", rows[::-1]))
    content = str(block.content)
    assert content.count("<figure") == 2 and content.count("<img") == 2 * AMOUNTS.frames
    assert "Episode 900" in content and content.index("step 0") < content.index("step 5") < content.index("step 10")


def test_rows_without_a_picture_make_no_strip() -> None:
    rows = frame("steps", [row for row in synthetic.surprise_steps(1) if not row["perturbed"]])
    assert drawn("strips", "steps", rows) == []
