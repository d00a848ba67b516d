"""Decoding curves: by how far ahead a picture was imagined."""

import math

from pipelines.reports.page.drawings.of_evaluations.decoding.decoding_curves import blocks_ahead
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_a_name_says_how_far_ahead() -> None:
    assert [blocks_ahead(name) for name in ("encoded", "imagined_1", "imagined_08")] == [0.0, 1.0, 8.0]
    assert all(math.isnan(blocks_ahead(name)) for name in ("all", "imagined_", None))


def test_the_decoder_is_drawn_beside_the_mean_frame() -> None:
    (block,) = drawn("decoding_curves", "metrics", frame("metrics", synthetic.decoding_rows()["metrics"]))
    assert "drawn" in block.content and "the mean training frame" in block.content
