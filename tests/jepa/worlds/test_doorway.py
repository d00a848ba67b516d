"""A disk and a wall with a door: what clips the wall, and the shortest way, against Dijkstra on a fine grid."""

from itertools import product
from math import gcd

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from jepa.worlds.two_room.doorway import Doorway, Places, shortest_way

WALL = Doorway(wall_x=0.5, half_width=0.03, half_height=0.11)
LEFT, RIGHT, SLACK = 0.425, 0.575, 0.065


def let_through(*move: float, radius: float = 0.045, door: float = 0.5) -> bool:
    place = np.array([move])
    (through,) = WALL.lets_through(place[:, :2], place[:, 2:], np.array([door]), radius, 1e-6)
    return bool(through)


@pytest.mark.parametrize(
    ("move", "through"),
    [
        ((0.3, 0.5, 0.7, 0.5), True),  # through the door's middle
        ((0.3, 0.56, 0.7, 0.56), True),
        ((0.3, 0.57, 0.7, 0.57), False),  # the disk reaches over the door's edge
        ((0.3, 0.2, 0.7, 0.2), False),  # from room to room through the wall, both ends clear of it
        ((0.3, 0.9, 0.7, 0.9), False),
        ((0.42, 0.1, 0.42, 0.9), True),  # along the wall
        ((0.43, 0.1, 0.43, 0.9), False),
        ((0.5, 0.45, 0.5, 0.56), True),  # up and down in the doorway
        ((0.5, 0.45, 0.5, 0.58), False),
        ((0.5, 0.2, 0.5, 0.2), False),  # a disk that stays in the wall
        ((0.3, 0.2, 0.3, 0.2), True),
        ((0.42, 0.36, 0.5, 0.5), False),  # a corner between two clear ends
        ((0.42, 0.46, 0.5, 0.5), True),
        ((0.58, 0.64, 0.5, 0.5), False),  # its mirror images
        ((0.58, 0.36, 0.5, 0.5), False),
    ],
)
def test_the_disk_is_swept_from_end_to_end(move: tuple[float, float, float, float], through: bool) -> None:
    assert let_through(*move) == through
    assert let_through(*move[2:], *move[:2]) == through


def test_a_swept_disk_is_as_near_as_its_nearest_place_on_the_way() -> None:
    rng = np.random.default_rng(0)
    start, end, door = rng.random((300, 2)), rng.random((300, 2)), rng.uniform(0.2, 0.8, 300)
    share = np.linspace(0, 1, 801)[:, None, None]
    x, y = np.moveaxis(start + share * (end - start), 2, 0)
    beside = np.maximum(np.abs(x - WALL.wall_x) - WALL.half_width, 0)
    beyond = np.maximum(WALL.half_height - np.abs(y - door), 0)
    gap = np.hypot(beside, beyond).min(axis=0)
    for radius in (0.02, 0.045, 0.1):
        through = WALL.lets_through(start, end, door, radius, 0.0)
        sure = np.abs(gap - radius) > 2e-3
        np.testing.assert_array_equal(through[sure], (gap >= radius)[sure])
        assert 20 < through.sum() < 280


def is_free(place: Places, door: float) -> NDArray[np.bool_]:
    in_corridor = (place[..., 0] > LEFT) & (place[..., 0] < RIGHT)
    return np.asarray(~in_corridor | (np.abs(place[..., 1] - door) <= SLACK))


def moves_on_a_grid(cells: int, door: float) -> tuple[Places, coo_array]:
    """Returns the free places of a grid over [0, 1]², and the lengths of the moves between near ones of them."""
    side = np.linspace(0, 1, cells)
    place = np.stack(np.meshgrid(side, side, indexing="ij"), axis=2)
    number = np.arange(cells**2).reshape(cells, cells)
    moves = [(i, j) for i, j in product(range(6), range(-5, 6)) if gcd(i, j) == 1 and (i or j > 0)]
    rows, columns, lengths = [], [], []
    for i, j in moves:
        here = np.s_[: cells - i, max(-j, 0) : cells - max(j, 0)]
        there = np.s_[i:, max(j, 0) : cells + min(j, 0)]
        on_the_way = [place[here] + share * (place[there] - place[here]) for share in np.linspace(0, 1, 9)]
        free = np.all([is_free(point, door) for point in on_the_way], axis=0)
        rows.append(number[here][free])
        columns.append(number[there][free])
        lengths.append(np.full(free.sum(), np.hypot(i, j) / (cells - 1)))
    edges = coo_array((np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=(cells**2,) * 2)
    return place[is_free(place, door)], edges


def test_the_shortest_way_is_that_of_dijkstra_on_a_fine_grid() -> None:
    door, cells = 0.62, 121
    free, edges = moves_on_a_grid(cells, door)
    rng = np.random.default_rng(1)
    ends = free[rng.integers(len(free), size=60)]
    # Also places in the doorway, between the wall's two faces.
    in_doorway = np.array([[0.45, 0.57], [0.55, 0.67], [0.5, 0.6], [0.5, 0.65], [0.56, 0.57], [0.44, 0.66]])
    ends[:6] = np.round(in_doorway * (cells - 1)) / (cells - 1)
    index = np.rint(ends * (cells - 1)).astype(int) @ [cells, 1]
    by_grid = dijkstra(edges.tocsr(), directed=False, indices=index)[:, index]
    pairs = np.stack(np.meshgrid(range(60), range(60), indexing="ij"), axis=2).reshape(-1, 2)
    start, goal = ends[pairs[:, 0]], ends[pairs[:, 1]]
    exact = shortest_way(start, goal, np.full(len(pairs), door), LEFT, RIGHT, SLACK)
    # A move of the grid may cut a corner by a cell or so, and its few directions make some ways longer.
    assert (exact <= by_grid.ravel() + 0.004).all()
    assert (exact >= by_grid.ravel() * 0.99 - 0.012).all()
    straight = np.linalg.norm(goal - start, axis=1)
    assert (exact >= straight - 1e-12).all() and (exact > straight + 0.05).mean() > 0.2
    np.testing.assert_array_equal(exact, exact.reshape(60, 60).T.ravel())
