"""Coverage counts what was visited and moved, and adds up over parts of a dataset."""

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.worlds import WORLDS, coverage
from jepa.worlds.coverage import GRID
from tests.narrow import present

PUSHT, TWO_ROOM = WORLDS.get("pusht").world_spec, WORLDS.get("two_room").world_spec


def straight_walk(
    start: tuple[float, float], end: tuple[float, float], steps: int = 400
) -> dict[str, NDArray[np.float32]]:
    return {"agent_position": np.linspace(start, end, steps + 1, dtype=np.float32)}


def test_a_walk_along_one_side_visits_one_row_of_cells() -> None:
    seen = coverage([straight_walk((0.0, 0.01), (1.0, 0.01))], TWO_ROOM)
    assert seen.visited_share == pytest.approx(1 / GRID)
    assert seen.visited_GG is not None
    assert seen.visited_GG[-1].all() ^ seen.visited_GG[0].all()
    assert seen.steps == 400 and not seen.moved_steps


def test_parts_add_up_to_the_whole() -> None:
    walks = [straight_walk((0.1, y), (0.9, 1 - y)) for y in (0.1, 0.4, 0.8)]
    whole = coverage(walks, TWO_ROOM)
    parts = coverage(walks[:1], TWO_ROOM) + coverage(walks[1:], TWO_ROOM)
    np.testing.assert_array_equal(present(whole.visited_GG), present(parts.visited_GG))
    assert whole.steps == parts.steps == 1200
    assert coverage([], TWO_ROOM).visited_share == 0


def test_an_object_counts_as_moved_only_above_its_least_displacement() -> None:
    block = np.zeros((6, 2), dtype=np.float32)
    block[2:] += 5.0
    block[4:] += 0.1
    episode = {"agent_position": np.zeros((6, 2), dtype=np.float32), "block_position": block}
    seen = coverage([episode, episode], PUSHT)
    assert seen.moved_steps == {"block_position": 2} and seen.moved_share("block_position") == pytest.approx(0.2)


def test_a_world_without_a_path_has_no_visited_share() -> None:
    spec = WORLDS.get("cube").world_spec
    still = {"block_position": np.zeros((3, 3), dtype=np.float32)}
    seen = coverage([still], spec) + coverage([still], spec)
    assert seen.visited_share is None and seen.moved_share("block_position") == 0 and seen.steps == 4
