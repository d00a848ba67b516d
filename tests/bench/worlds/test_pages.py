"""The pages of `docs/worlds/` show the figures that were kept, all of them, and no others."""

import copy
import re
from typing import Any

import pytest

from tests.bench.worlds.blocks.drawings import digest, digest_in
from tests.bench.worlds.blocks.facts import recipe
from tests.bench.worlds.blocks.reached import names
from tests.bench.worlds.blocks.targets import verdict
from tests.bench.worlds.pages import BLOCK, CURVES, NOT_YET, PAGES, WORLDS, drawing_of, filled, kept

OF_SOME_WORLDS = {"heading", "planners", "pilots"}


def page(world: str) -> str:
    return (PAGES / f"{world}.md").read_text()


def two_room() -> dict[str, Any]:
    figures = kept("two_room")
    assert figures is not None
    return copy.deepcopy(figures)


@pytest.mark.parametrize("world", WORLDS)
def test_a_page_shows_what_was_kept(world: str) -> None:
    assert filled(page(world), world, kept(world))[0] == page(world), "python -m tests.bench.worlds.pages fills it in"


@pytest.mark.parametrize("world", WORLDS)
def test_every_kept_figure_is_on_its_page(world: str) -> None:
    figures = kept(world)
    if figures is None:
        assert page(world).count(NOT_YET) > 10
        return
    assert figures["world"] == world
    assert names(figures) - filled(page(world), world, figures)[1] == set()


@pytest.mark.parametrize("world", WORLDS)
def test_the_drawings_are_of_the_kept_figures(world: str) -> None:
    figures = kept(world) or {}
    for name in CURVES:
        path = drawing_of(world, name)
        assert path.exists() == bool(figures.get(name)), path.name
        if path.exists():
            assert digest_in(path.read_text()) == digest(figures[name]), "python -m tests.bench.worlds.pages draws it"
            assert "prefers-color-scheme: dark" in path.read_text()


@pytest.mark.parametrize("path", [("planning", "success_rate"), ("planning", "regret"), ("probing", "r2")])
def test_another_digit_is_another_page(path: tuple[str, str]) -> None:
    figures = two_room()
    table, figure = path
    figures[table][0][figure]["mean"] += 0.013
    assert filled(page("two_room"), "two_room", figures)[0] != page("two_room")


def test_another_digit_on_the_page_is_noted() -> None:
    text = page("two_room")
    wrong = re.sub(r"(\| cross room: cem \|) \d+", r"\1 55", text, count=1)
    assert wrong != text and filled(wrong, "two_room", two_room())[0] != wrong


@pytest.mark.parametrize("table", ["planning", "probing", "surprise"])
def test_a_row_that_no_table_shows_is_named(table: str) -> None:
    figures = two_room()
    figures[table].append({**figures[table][0], "split": "validation"})
    (hidden,) = names(figures) - filled(page("two_room"), "two_room", figures)[1]
    assert hidden.startswith(table) and "validation" in hidden


def test_all_worlds_pages_have_the_same_parts_and_none_that_is_unknown() -> None:
    parts = {world: [match[1] for match in BLOCK.findall(page(world))] for world in WORLDS}
    for world in WORLDS:
        assert len(parts[world]) == len(set(parts[world]))
        assert [part for part in parts[world] if part not in OF_SOME_WORLDS] == [
            part for part in parts["two_room"] if part not in OF_SOME_WORLDS
        ]
    with pytest.raises(KeyError):
        filled("<!-- figures: no such part -->\n<!-- end -->", "two_room", two_room())


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_that_was_judged_fills_the_whole_of_its_page(world: str) -> None:
    text, shown = filled(page(world), world, {**two_room(), "world": world})
    assert NOT_YET not in text and names(two_room()) <= shown


def test_a_recipe_that_is_taught_states_says_so() -> None:
    figures = two_room()
    assert "Privileged" not in recipe(figures).text
    figures["recipe"]["objective_options"]["head"] = {"quantity": "door", "quantity_size": 1, "weight": 20.0}
    assert "**Privileged:** a head of weight 20 is taught `door`" in recipe(figures).text


def test_a_verdict_follows_the_mean_and_then_the_interval() -> None:
    figure = {"mean": 0.6, "low": 0.5, "high": 0.7, "seeds": {"0": [1], "1": [1], "2": [1]}}
    assert verdict(figure, 0.61) == "**missed**" and verdict(figure, 0.5) == "met"
    assert verdict(figure, 0.6) == "met by the mean, not by all of its interval"
    assert verdict(figure, 0.5, below=True) == "**missed**" and verdict(figure, 0.7, below=True) == "met"
    assert verdict({**figure, "seeds": {"0": [1], "1": None}}, 0.5) == "met, of 1 training alone"
    assert verdict(None, 0.5) == "not judged"
