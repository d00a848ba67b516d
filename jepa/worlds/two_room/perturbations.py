"""What can happen to Two-Room's agent that its dynamics do not explain.

Shapes: N copies.
"""

from jepa.worlds.perturbations import SHARE, STEPS_WAY, Perturbation

OTHER_COLOUR = "the agent takes a colour that training never shows, or one on the way there"

PERTURBATIONS = (
    Perturbation(
        "teleport",
        "continuity",
        physical=True,
        unit=STEPS_WAY,
        strengths=(0.5, 1.0, 2.0, 3.0, 5.0, 10.0),
        strength=10.0,
        description="the agent is at a free place so far away; in full, anywhere from that far on",
    ),
    Perturbation(
        "recolour",
        "immutability",
        physical=False,
        unit=f"{SHARE} of the way to the other colour",
        strengths=(0.05, 0.1, 0.2, 0.5, 1.0),
        strength=1.0,
        description=OTHER_COLOUR,
    ),
)
"""Teleport and recolour first: they are as old as the world, and in full they do what they always did."""
