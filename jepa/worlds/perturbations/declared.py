"""Declarations that worlds share: each names what it happens to, the principle and the ladder are the same."""

from jepa.worlds.perturbations.lasting import IGNORE_ACTION, REVERSE
from jepa.worlds.perturbations.perturbation import SHARE, STEPS, Perturbation

FOR_STEPS = (1.0, 2.0, 3.0, 5.0, 10.0)
"""For how many steps dynamics are perturbed, the last in full."""


def ignore_action() -> Perturbation:
    """Returns the declaration of an action that is not carried out."""
    return for_steps(IGNORE_ACTION, "for so many steps the world goes on as if no action were given")


def reverse() -> Perturbation:
    """Returns the declaration of actions that do the opposite."""
    return for_steps(REVERSE, "for so many steps every action does the opposite")


def recolour(what: str, another: str = "colour") -> Perturbation:
    """Returns the declaration of something that takes a colour, or a hue, that training never shows."""
    return Perturbation(
        "recolour",
        "immutability",
        physical=False,
        unit=f"{SHARE} of the way to the other {another}",
        strengths=(0.05, 0.1, 0.2, 0.5, 1.0),
        strength=1.0,
        description=f"{what} takes a {another} that training never shows, or one on the way there",
    )


def vanish(what: str, name: str = "vanish") -> Perturbation:
    """Returns the declaration of something that fades, or is not seen any more, and is still there."""
    ladder, text = (0.1, 0.25, 0.5, 0.75, 1.0), f"{what} fades, in full to nothing, and lives on unseen"
    return Perturbation(name, "permanence", True, f"{SHARE} of its opacity", ladder, 1.0, text)


def teleport(unit: str, ladder: tuple[float, ...], full: float, description: str) -> Perturbation:
    """Returns the declaration of a jump to elsewhere; in full it leads so far away or farther."""
    return Perturbation("teleport", "continuity", True, unit, ladder, full, description, full_is_at_least=True)


def duplicate(what: str, unit: str, ladder: tuple[float, ...], full: float, name: str = "duplicate") -> Perturbation:
    """Returns the declaration of a second one of something, which does as the first one does, so far from it."""
    return Perturbation(name, "permanence", True, unit, ladder, full, f"a second {what}")


def resize(what: str, of: str) -> Perturbation:
    """Returns the declaration of something that looks larger.

    Args:
        what: looks so, and what stays as before.
        of: the size that grows by a share.
    """
    return Perturbation("resize", "immutability", False, f"{SHARE} of {of}", (0.1, 0.2, 0.35, 0.5, 1.0), 1.0, what)


def pass_through(unit: str, ladder: tuple[float, ...], description: str) -> Perturbation:
    """Returns the declaration of something solid that is gone through, at the end of the ladder in full."""
    return Perturbation("pass_through", "solidity", True, unit, ladder, ladder[-1], description)


def for_steps(name: str, description: str) -> Perturbation:
    """Returns the declaration of dynamics that are other ones for so many steps."""
    return Perturbation(name, "dynamics", True, STEPS, FOR_STEPS, FOR_STEPS[-1], description, before_step=True)
