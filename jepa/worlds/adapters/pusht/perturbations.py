"""What can happen to Push-T's agent and block that its dynamics do not explain.

A scene is the package's, a body list is what `bodies.read` returns.
Shapes: M places.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Pixels
from jepa.worlds.adapters.pusht.bodies import INSIDE, place, read
from jepa.worlds.perturbations import (
    STEPS_WAY,
    Lasting,
    Perturbation,
    duplicate,
    for_steps,
    ignore_action,
    pass_through,
    recolour,
    resize,
    reverse,
    teleport,
    teleported,
    vanish,
)

Floats = NDArray[np.float32]

STEP_PIXELS = 40.7
"""What the agent moves in a step along an axis when it goes on and on with the largest action there."""
NEAR_BLOCK = 1.0
"""How many steps' way from the block an agent may be that passes through it."""
WAYS = (0.125, 0.25, 0.5, 1.0, 2.0, 3.0)

PERTURBATIONS = (
    teleport(
        STEPS_WAY, WAYS, 3.0, "agent and block, each so far away; in full to other poses, each over 120 pixels away"
    ),
    recolour("the block"),
    Perturbation("teleport_agent", "continuity", True, STEPS_WAY, WAYS, 3.0, "the agent alone, so far away"),
    Perturbation("teleport_block", "continuity", True, STEPS_WAY, WAYS, 3.0, "the block alone, so far away"),
    resize("the agent looks larger by that part, and pushes as before", "the radius"),
    vanish("the block", "vanish_block"),
    duplicate("block, so far from the first one", STEPS_WAY, WAYS, 3.0, "duplicate_block"),
    pass_through(
        STEPS_WAY,
        (0.125, 0.25, 0.5, 1.0, 2.0),
        "an agent that runs at the block is so far beyond where it touches it, and the block lies still",
    ),
    for_steps("freeze_block", "for so many steps nothing moves the block; strikes where the agent could reach it"),
    reverse(),
    ignore_action(),
)


MOVES = ("teleport", "teleport_agent", "teleport_block", "pass_through")
"""Those that change the bodies at once; all others last."""


def strike(scene: Any, kind: str, rng: np.random.Generator, strength: float, radius: float) -> bool:
    """Moves the bodies as one of `MOVES` does, and returns whether a perturbation of any name strikes the scene."""
    if kind in ("teleport", "teleport_block"):
        there_2, body_10 = block_elsewhere(scene, rng, strength, radius), read(scene)
        place(scene, [*body_10[:2], *there_2.tolist(), *body_10[4:]])
    if kind in ("teleport", "teleport_agent"):
        _move_agent(scene, rng, strength, radius)
    if kind == "pass_through":
        return _pass_through(scene, strength, radius)
    return kind != "freeze_block" or _within_reach(scene, strength, radius)


def _move_agent(scene: Any, rng: np.random.Generator, steps_way: float, radius: float) -> None:
    """Puts the agent so far away, clear of the block and inside the walls."""
    body_10 = read(scene)

    def is_free(place_M2: Floats) -> NDArray[np.bool_]:
        inside_M = ((place_M2 >= INSIDE[0] + radius) & (place_M2 <= INSIDE[1] - radius)).all(axis=1)
        return np.asarray(inside_M & (np.array([_gap(scene, place_2) for place_2 in place_M2]) >= radius))

    there_2 = teleported(np.array(body_10[:2], dtype=np.float32), steps_way * STEP_PIXELS, rng, is_free)
    place(scene, [*there_2.tolist(), *body_10[2:]])


def block_elsewhere(scene: Any, rng: np.random.Generator, steps_way: float, radius: float) -> Floats:
    """Returns a place (2,) of the block at that distance, in its present pose inside the walls and off the agent."""
    body_10 = read(scene)
    try:
        free = partial(_block_fits, scene, body_10, radius)
        return teleported(np.array(body_10[2:4], dtype=np.float32), steps_way * STEP_PIXELS, rng, free)
    finally:
        place(scene, body_10)


def _pass_through(scene: Any, steps_way: float, radius: float) -> bool:
    """Carries an agent that runs at the block so far past the place where it touches it; returns whether it runs so."""
    body_10 = read(scene)
    here_2, speed_2 = np.array(body_10[:2]), np.array(body_10[5:7])
    speed = float(np.linalg.norm(speed_2))
    if speed == 0:
        return False
    heading_2 = speed_2 / speed
    ways = np.arange(0.0, NEAR_BLOCK * STEP_PIXELS + radius, 0.5)
    gaps = np.array([_gap(scene, here_2 + way * heading_2) for way in ways])
    touching = np.flatnonzero(gaps <= radius)
    # Its centre has to get into the block: one that slides along it goes nowhere that it could not.
    if not len(touching) or gaps.min() > 0:
        return False
    there_2 = here_2 + (ways[touching[0]] + steps_way * STEP_PIXELS) * heading_2
    there_2 = np.clip(there_2, INSIDE[0] + radius, INSIDE[1] - radius)
    place(scene, [*np.asarray(there_2, dtype=np.float32).tolist(), *body_10[2:]])
    return True


def _within_reach(scene: Any, steps: float, radius: float) -> bool:
    """Returns whether the agent can get at the block in so many steps; along both axes it is √2 times as fast."""
    return _gap(scene, np.array(read(scene)[:2])) <= radius + math.sqrt(2) * STEP_PIXELS * steps


def hold_block(scene: Any, body_10: Sequence[float]) -> None:
    """Puts the block back where it was before a step, at rest."""
    after_10 = read(scene)
    place(scene, [*after_10[:2], *body_10[2:5], *after_10[5:7], 0.0, 0.0, 0.0])


def draw(scene: Any, lasting: Lasting, second_2: Floats) -> Pixels:
    """Returns the picture (H, W, 3) of a scene whose looks are perturbed, and leaves the scene as it was.

    Args:
        scene: just set up, and in its pose.
        lasting: what is in force.
        second_2: where a duplicate is, seen from the block.
    """
    body_10 = read(scene)
    larger = 1 + lasting.strength("resize")
    for shape in scene.agent.shapes:
        shape.unsafe_set_radius(shape.radius * larger)
    if lasting.strength("duplicate_block"):
        colour = scene.variation_space["block"]["color"].value.tolist()
        second = (np.array(tuple(scene.block.position)) + second_2).tolist()
        body = scene.add_tee(position=second, angle=scene.block.angle, scale=30, color=colour)
        # Turning it about its centre of gravity moved it, and shapes are drawn where they were when they were added.
        body.position = tuple(second)
        scene.space.remove(*body.shapes)
        scene.space.add(*body.shapes)
    picture = scene.render()
    lost = lasting.strength("vanish_block")
    if lost:
        scene.space.remove(*scene.block.shapes)
        without = scene.render().astype(np.float32)
        picture = np.round(picture + np.float32(lost) * (without - picture)).astype(np.uint8)
    scene._setup()
    place(scene, body_10)
    return np.asarray(picture)


def _gap(scene: Any, place_2: Any) -> float:
    """Returns the distance of a place from the block, negative inside."""
    at = (float(place_2[0]), float(place_2[1]))
    return min(float(shape.point_query(at).distance) for shape in scene.block.shapes)


def _block_fits(scene: Any, body_10: Sequence[float], radius: float, place_M2: Floats) -> NDArray[np.bool_]:
    fits = []
    for place_2 in place_M2.tolist():
        place(scene, [*body_10[:2], *place_2, *body_10[4:]])
        boxes = [shape.bb for shape in scene.block.shapes]
        inside = all(min(box.left, box.bottom) > INSIDE[0] and max(box.right, box.top) < INSIDE[1] for box in boxes)
        fits.append(inside and _gap(scene, body_10[:2]) >= radius)
    return np.array(fits)
