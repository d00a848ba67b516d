"""Perturbations as declarations, and what worlds share in carrying them out."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.worlds import World, make_world
from jepa.worlds.perturbations import STEPS, Perturbation, find, part_way, teleported
from tests.narrow import floats

TELEPORT = Perturbation("teleport", "continuity", True, "steps' way", (1.0, 3.0), 3.0, "elsewhere")
FADE = Perturbation("vanish", "permanence", False, "share of opacity", (0.1, 1.0), 1.0, "fades")
FREEZE = Perturbation("freeze", "dynamics", True, STEPS, (1.0, 5.0), 5.0, "stays", before_step=True)


def test_a_declaration_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="breaks 'magic', none of: continuity"):
        Perturbation("teleport", "magic", True, "1", (), 1.0, "")
    with pytest.raises(ValueError, match="do not ascend"):
        Perturbation("teleport", "continuity", True, "1", (2.0, 1.0), 1.0, "")


@pytest.mark.parametrize(
    ("perturbation", "strength", "complaint"),
    [
        (TELEPORT, 0.0, r"strength is 0.0; perturbation 'teleport' takes numbers over 0 \(steps' way\), such as: 1, 3"),
        (TELEPORT, -1.0, "over 0"),
        (TELEPORT, float("nan"), "strength is nan"),
        (TELEPORT, float("inf"), "strength is inf"),
        (FADE, 1.5, "over 0 and up to 1"),
        (FREEZE, 2.5, "a whole number over 0"),
    ],
)
def test_a_strength_that_cannot_be_is_refused_with_the_ladder(
    perturbation: Perturbation, strength: float, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        perturbation.require(strength)
    for one in perturbation.strengths:
        perturbation.require(one)


def test_a_name_is_found_or_refused_with_the_choices() -> None:
    assert find("room", [TELEPORT, FADE], "vanish") is FADE and str(FADE) == "vanish"
    with pytest.raises(InputError, match="world 'room' has no perturbation 'melt'; it has: teleport, vanish"):
        find("room", [TELEPORT, FADE], "melt")


def test_a_teleport_is_exact_where_there_is_room_and_the_nearest_there_is_elsewhere() -> None:
    def inside(place_M2: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.asarray(((place_M2 >= 0) & (place_M2 <= 1)).all(axis=1))

    start = floats([0.1, 0.2])
    for seed in range(20):
        way = [teleported(start, s, np.random.default_rng(seed), inside) - start for s in (0.05, 0.09)]
        np.testing.assert_allclose(np.linalg.norm(way, axis=1), [0.05, 0.09], atol=1e-6)
        np.testing.assert_allclose(way[0] / 0.05, way[1] / 0.09, atol=1e-5, err_msg="the same direction")
        corner = teleported(start, 3.0, np.random.default_rng(seed), inside)
        assert inside(corner[None]).all() and np.linalg.norm(corner - start) > 1.1, "the far corner is 1.2 away"
    np.testing.assert_array_equal(
        teleported(start, 1.0, np.random.default_rng(0), lambda place: np.zeros(len(place), dtype=bool)), start
    )


def test_a_share_of_the_way_to_a_colour() -> None:
    red, blue = floats([200, 0, 0]), floats([0, 0, 100])
    np.testing.assert_array_equal(part_way(red, blue, 0.25), [150, 0, 25])
    np.testing.assert_array_equal(part_way(red, blue, None), blue)


def test_a_world_that_does_not_say_what_its_perturbations_do_is_refused_when_it_is_defined() -> None:
    spec = make_world("two_room", 1).world_spec
    with pytest.raises(TypeError, match="'two_room' declares perturbations: define what they do, `_strike`"):
        type("Silent", (World,), {"world_spec": spec})
    type("Still", (World,), {"world_spec": replace(spec, perturbations=())})
