"""What can happen to any environment that its dynamics do not explain, nothing being known of what it shows."""

from jepa.worlds.perturbations import SHARE, STEPS, Perturbation, ignore_action, teleport

PERTURBATIONS = (
    teleport(
        STEPS,
        (1.0, 2.0, 5.0, 10.0, 20.0),
        20.0,
        "it is where so many drawn actions would have led; in full, in the first state of another episode",
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
