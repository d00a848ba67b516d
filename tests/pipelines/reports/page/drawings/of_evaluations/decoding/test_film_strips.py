"""Film strips: what happened above what was drawn above what was imagined."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_an_episode_has_three_strips() -> None:
    (block,) = drawn("film_strips", "pictures", frame("pictures", synthetic.decoding_rows()["pictures"]))
    content = str(block.content)
    assert content.count('<figure class="strip">') == 2 and content.count('src="data:image/png') == 2 * 3 * 5
    assert content.index("what happened") < content.index("drawn from each frame") < content.index("<p>imagined</p>")
