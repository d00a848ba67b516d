"""Films: all frames in their order, small enough, the plan where it leads, and a still for paper."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image, ImageSequence

from jepa.evaluation.png import encode_png
from pipelines.reports.page.elements.films import LARGEST, PLAN, beside, film_element, frame_of, gif, with_path
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame
from tests.pipelines.reports.page.evaluated import film_rows


def squares(count: int, side: int = 180) -> list[Image.Image]:
    """Returns frames of a red square that moves to the right on grey."""
    found = []
    for place in range(count):
        pixels = np.full((side, side, 3), 200, np.uint8)
        pixels[80:100, 10 * place : 10 * place + 20] = (220, 20, 20)
        found.append(Image.fromarray(pixels))
    return found


def count_of(film: Image.Image) -> int:
    """Returns how many frames an animated picture has."""
    return sum(1 for _ in ImageSequence.Iterator(film))


def test_a_film_shows_every_frame_in_its_colours() -> None:
    frames = squares(8)
    film = Image.open(io.BytesIO(gif(frames)))
    assert count_of(film) == 8 and film.info["loop"] == 0
    for place, one in enumerate(frames):
        film.seek(place)
        assert np.abs(np.asarray(film.convert("RGB"), int) - np.asarray(one, int)).max() <= 8


def test_a_film_of_noise_is_made_small() -> None:
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (100, 100, 3), dtype=np.uint8)) for _ in range(24)]
    data = gif(noise)
    assert len(data) <= LARGEST and count_of(Image.open(io.BytesIO(data))) < 24


def test_the_plan_lies_where_it_leads() -> None:
    plain = Image.new("RGB", (200, 100), "black")
    marked = np.asarray(with_path(plain, np.array([[0.0, 0.0], [2.0, 1.0]]), [0.0, 4.0, 0.0, 2.0]))
    down, across = np.nonzero((marked == PLAN).all(-1))
    # Two of four across, one of two up: the left half's diagonal from the lower left, to the middle.
    assert across.min() <= 1 and abs(across.max() - 100) <= 6 and down.max() >= 98 and abs(down.min() - 50) <= 4
    np.testing.assert_allclose(down, 100 - across / 2, atol=4)


@pytest.mark.parametrize("nothing", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_none(nothing: bytes) -> None:
    assert frame_of(nothing) is None


def test_pictures_stand_side_by_side() -> None:
    pair = beside([Image.new("RGB", (10, 20), "red"), Image.new("RGB", (5, 10), "blue")], gap=3)
    assert pair.size == (18, 20) and pair.getpixel((0, 0)) == (255, 0, 0) and pair.getpixel((13, 0)) == (0, 0, 255)


def test_paper_and_who_wants_rest_get_the_last_frame() -> None:
    element = film_element(squares(3), 'a "film"')
    still = re.search(
        r'media="print, \(prefers-reduced-motion: reduce\)" srcset="data:image/png;base64,([^"]*)"', element
    )
    assert still is not None and 'alt="a &#34;film&#34;"' in element
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(still[1]))).convert("RGB"), int)
    assert np.abs(shown - np.asarray(squares(3)[-1], int)).max() <= 8


def test_problems_that_were_reached_come_before_those_missed() -> None:
    (block,) = drawn("films", "films", frame("films", film_rows(4)))
    captions = re.findall(r"<figcaption>([^<]*)</figcaption>", block.content)
    assert captions == [
        f"uniform · problem {problem} · cem, {how} 5 steps"
        for problem, how in ((0, "reached in"), (2, "reached in"), (1, "missed after"), (3, "missed after"))
    ]
    films = re.findall(r'src="data:image/gif;base64,([^"]*)"', block.content)
    assert [count_of(Image.open(io.BytesIO(base64.b64decode(one)))) for one in films] == [6] * 4
    assert drawn("films", "films", frame("films", [])) == []


def test_what_is_imagined_moves_beside_what_happened() -> None:
    rows = synthetic.decoding_rows(4)["pictures"]
    moved = [encode_png(np.full((16, 16, 3), 40 * k, np.uint8)) for k in range(5)]
    rows = [{**row, "frame": moved[row["step"] // 5]} for row in rows]
    (block,) = drawn("film_strips", "pictures", frame("pictures", rows[::-1]))
    films = re.findall(r'src="data:image/gif;base64,([^"]*)"', block.content)
    assert len(films) == 2
    film = Image.open(io.BytesIO(base64.b64decode(films[0])))
    assert count_of(film) == 5 and film.width == 3 * 112 + 2 * 6
    for k in range(5):
        film.seek(k)
        assert abs(int(np.asarray(film.convert("L"))[3, 3]) - 40 * k) <= 4
