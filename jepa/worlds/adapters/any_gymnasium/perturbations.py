"""What can happen to any environment that its dynamics do not explain, nothing being known of what it shows."""

from jepa.worlds.perturbations import SHARE, STEPS, Perturbation, ignore_action

PERTURBATIONS = (
    Perturbation(
        "teleport",
        "continuity",
        physical=True,
        unit=STEPS,
        strengths=(1.0, 2.0, 5.0, 10.0, 20.0),
        strength=20.0,
        description="it is where so many drawn actions would have led; in full, in the first state of another episode",
        full_is_at_least=True,
    ),
    Perturbation(
        "recolour",
        "immutability",
        physical=False,
        unit=f"{SHARE} of a rotation of red, green and blue",
        strengths=(0.05, 0.1, 0.2, 0.5, 1.0),
        strength=1.0,
        description="red, green and blue of the picture change places, or are mixed on the way there",
    ),
    ignore_action(),
)
