"""A disk and a wall with one door: which moves the wall lets through, and the shortest way round it.

The wall is vertical and reaches over the whole scene; the unit of length is the scene's own.
Shapes: M moves, or pairs of places.
"""

from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]
"""x and y, (M, 2)."""


@dataclass(frozen=True)
class Doorway:
    """A wall around x = `wall_x` with an opening of twice `half_height`."""

    wall_x: float
    half_width: float
    half_height: float

    def lets_through(
        self, before_M2: Places, after_M2: Places, door_M: Places, radius: Any, slack: float
    ) -> NDArray[np.bool_]:
        """Returns which disks keep clear of the wall all the way from one place to the next, in a straight line, (M,).

        Args:
            before_M2: the disk's centre.
            after_M2: where the centre goes.
            door_M: y of the door's centre.
            radius: the disk's, one for all or (M,).
            slack: how far the disk may reach into the wall, for rounding.
        """
        above_M = self._gap(before_M2, after_M2, door_M - self.half_height)
        flip = np.array([1.0, -1.0])
        below_M = self._gap(before_M2 * flip, after_M2 * flip, -(door_M + self.half_height))
        return np.asarray(np.minimum(above_M, below_M) >= radius - slack)

    def _gap(self, a_M2: Places, b_M2: Places, edge_M: Places) -> Places:
        """Returns the distance (M,) of the segments from a to b to the part of the wall with y ≤ edge."""
        corners_M2 = [
            np.stack([np.full_like(edge_M, self.wall_x + side * self.half_width), edge_M], axis=1) for side in (-1, 1)
        ]
        # Of two convex shapes that do not meet, one comes nearest to the other with a corner or an end.
        gaps = [*(self._to_post(end_M2, edge_M) for end_M2 in (a_M2, b_M2))]
        gaps += [_to_segment(corner_M2, a_M2, b_M2) for corner_M2 in corners_M2]
        return np.where(self._meets_post(a_M2, b_M2, edge_M), 0.0, np.min(gaps, axis=0))

    def _to_post(self, place_M2: Places, edge_M: Places) -> Places:
        beside_M = np.maximum(np.abs(place_M2[:, 0] - self.wall_x) - self.half_width, 0)
        return np.asarray(np.hypot(beside_M, np.maximum(place_M2[:, 1] - edge_M, 0)))

    def _meets_post(self, a_M2: Places, b_M2: Places, edge_M: Places) -> NDArray[np.bool_]:
        """Returns whether the part of each segment that lies between the wall's faces comes down to the edge."""
        run_M = b_M2[:, 0] - a_M2[:, 0]
        faces = (self.wall_x - self.half_width, self.wall_x + self.half_width)
        upright_M = run_M == 0
        share_M = [(face - a_M2[:, 0]) / np.where(upright_M, 1, run_M) for face in faces]
        first_M, last_M = np.clip(np.minimum(*share_M), 0, None), np.clip(np.maximum(*share_M), None, 1)
        within_M = (a_M2[:, 0] >= faces[0]) & (a_M2[:, 0] <= faces[1])
        first_M, last_M = np.where(upright_M, 0, first_M), np.where(upright_M, np.where(within_M, 1, -1), last_M)
        rise_M = b_M2[:, 1] - a_M2[:, 1]
        lowest_M = a_M2[:, 1] + np.minimum(first_M * rise_M, last_M * rise_M)
        return np.asarray((first_M <= last_M) & (lowest_M <= edge_M))


def shortest_way(a_M2: Places, b_M2: Places, door_M: Places, left: Any, right: Any, slack: Any) -> Places:
    """Returns the length (M,) of the shortest way of a point that may pass from x = left to x = right near the door.

    The free places are x ≤ left, x ≥ right, and between them |y - door| ≤ slack. Round the corners of that corridor the
    shortest way is a polyline, and it turns at one of the two corners of each end at most.

    Args:
        a_M2: start, a free place.
        b_M2: end, a free place.
        door_M: y of the door's centre.
        left: x of the corridor's left end, one for all or (M,).
        right: x of its right end, likewise.
        slack: half of the corridor's height, likewise.
    """
    ends = np.broadcast_to(left, door_M.shape), np.broadcast_to(right, door_M.shape)
    turns = [[None, *(np.stack([x_M, door_M + side * slack], axis=1) for side in (-1, 1))] for x_M in ends]
    from_left_M = (a_M2[:, 0] <= b_M2[:, 0])[:, None]
    first_M2, last_M2 = np.where(from_left_M, a_M2, b_M2), np.where(from_left_M, b_M2, a_M2)
    lengths = []
    for corners in product(*turns):
        way = [first_M2, *(corner for corner in corners if corner is not None), last_M2]
        legs = list(pairwise(way))
        free_M = np.all([_within(p_M2, q_M2, x_M, door_M, slack) for p_M2, q_M2 in legs for x_M in ends], axis=0)
        length_M = np.sum([np.linalg.norm(q_M2 - p_M2, axis=1) for p_M2, q_M2 in legs], axis=0)
        lengths.append(np.where(free_M, length_M, np.inf))
    return np.asarray(np.min(lengths, axis=0))


def _within(p_M2: Places, q_M2: Places, x_M: Places, door_M: Places, slack: Any) -> NDArray[np.bool_]:
    """Returns whether each segment that crosses x does so within the corridor, (M,)."""
    from_p_M, to_q_M = x_M - p_M2[:, 0], q_M2[:, 0] - x_M
    crosses_M = from_p_M * to_q_M > 0
    share_M = from_p_M / np.where(crosses_M, from_p_M + to_q_M, 1)
    y_M = p_M2[:, 1] + share_M * (q_M2[:, 1] - p_M2[:, 1])
    return np.asarray(~crosses_M | (np.abs(y_M - door_M) <= slack * (1 + 1e-6)))


def _to_segment(place_M2: Places, a_M2: Places, b_M2: Places) -> Places:
    way_M2 = b_M2 - a_M2
    squared_M = np.maximum((way_M2**2).sum(axis=1), 1e-30)
    share_M = np.clip(((place_M2 - a_M2) * way_M2).sum(axis=1) / squared_M, 0, 1)
    return np.asarray(np.linalg.norm(a_M2 + share_M[:, None] * way_M2 - place_M2, axis=1))
