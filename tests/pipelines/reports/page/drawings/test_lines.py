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


def test_splits_and_the_values_of_a_column_have_panels() -> None:
    rows = frame(
        "geometry",
        [
            {**row, "split": split, "distance": 0.1 * place, "latent_distance": place * (1 + (split == "test"))}
            for split in ("test", "unseen")
            for row in synthetic.geometry_rows()
            for place in range(4)
        ],
    )
    options = {"x": "distance", "y": "latent_distance", "series": "pairs", "panel": "against"}
    words = {"panel_title": "{} distance", "x_label": "distance, {unit}", "y_label": "in latents"}
    (block,) = drawn("lines", "geometry", rows, **options, **words)
    titles = [
        f"{against} distance · {split} episodes" for split in ("test", "unseen") for against in ("true", "geodesic")
    ]
    places = [block.content.index(f">{title}</text>") for title in titles]
    assert places == sorted(places)
    assert block.content.count(">distance, scene width</text>") == block.content.count(">in latents</text>") == 2
    (one,) = drawn("lines", "geometry", rows[rows.split == "test"], **options)
    assert "episodes" not in one.content and one.content.count(">all</text>") == 2
