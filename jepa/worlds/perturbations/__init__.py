"""What can happen to a world that its dynamics do not explain."""

from jepa.worlds.perturbations.changes import hue_on_the_way, part_way, teleported
from jepa.worlds.perturbations.declared import (
    duplicate,
    for_steps,
    ignore_action,
    pass_through,
    recolour,
    resize,
    reverse,
    teleport,
    vanish,
)
from jepa.worlds.perturbations.lasting import IGNORE_ACTION, REVERSE, Lasting
from jepa.worlds.perturbations.perturbation import OBJECTS, PRINCIPLES, SHARE, STEPS, STEPS_WAY, Perturbation, find

__all__ = [
    "IGNORE_ACTION",
    "OBJECTS",
    "PRINCIPLES",
    "REVERSE",
    "SHARE",
    "STEPS",
    "STEPS_WAY",
    "Lasting",
    "Perturbation",
    "duplicate",
    "find",
    "for_steps",
    "hue_on_the_way",
    "ignore_action",
    "part_way",
    "pass_through",
    "recolour",
    "resize",
    "reverse",
    "teleport",
    "teleported",
    "vanish",
]
