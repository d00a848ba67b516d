"""What a recipe says of its world in words, spelled out: policies, options, and the quantity that is regressed."""

from collections.abc import Mapping

import numpy as np

from jepa.core.errors import InputError
from jepa.studies.in_memory.episodes import MemoryEpisodes
from jepa.worlds.policies import make_policy
from jepa.worlds.registry import WORLDS
from jepa.worlds.world import declared_options

MIXTURES = ("own", "main", "mixed")
"""The world's own policies in its own shares; that with the largest share alone; half of its own and half random."""
USUAL = "usual"
"""The quantity, or the options, that the study names for the world."""
OPTIONS = {"cube": "mesh_cell=0.005,shadows=512"}
"""Options by which a world is drawn in a sixth of the time; any other world has none."""
REGRESSED = {"pusht": "block_heading", "reacher": "joint_heading", "cube": "block_heading"}
"""What is hardest to find in the latents of a world; of any other world it is what is probed first."""

Mixture = Mapping[str, float]


def mixture_text(text: str, world: str) -> str:
    """Returns policies as `name=share,…`, by name and with shares that add up to one.

    Args:
        text: that, or one of `MIXTURES`.
        world: registered name.

    Raises:
        InputError: it is neither, or a policy is not known or does not act in the world.
    """
    mixture = _mixture(text.strip(), WORLDS.get(world).world_spec.policy)
    for name in mixture:
        make_policy(name, world)
    total = sum(mixture.values())
    if not total > 0 or min(mixture.values()) < 0:
        raise InputError(f"policies {text!r} give no policy a share above 0; write name=share,name=share")
    return ",".join(f"{name}={share / total:.6g}" for name, share in sorted(mixture.items()) if share)


def shares(text: str) -> tuple[tuple[str, float], ...]:
    """Returns the policies of a text that `mixture_text` wrote, with their shares."""
    return tuple((name, float(share)) for name, _, share in (part.rpartition("=") for part in text.split(",")))


def options_text(text: str, world: str) -> str:
    """Returns options of a world as `name=value,…`, by name; an empty text has none.

    Args:
        text: that, or `USUAL` for those that the study takes of the world.
        world: registered name.

    Raises:
        InputError: the world has no such option, or an option has another type.
    """
    named = OPTIONS.get(world, "") if text.strip() == USUAL else text
    return ",".join(f"{name}={value}" for name, value in options(named, world))


def options(text: str, world: str) -> tuple[tuple[str, bool | int | float | str], ...]:
    """Returns the options of a text, as the world declares them; raises as `options_text` does."""
    parts = [part.partition("=") for part in text.split(",") if part.strip()]
    declared = declared_options(world, {name.strip(): value.strip() for name, _, value in parts})
    return tuple(sorted(declared.items()))


def quantity_name(name: str, world: str) -> str:
    """Returns the name of a recorded quantity of a world; `USUAL` for the one that the study names.

    Raises:
        InputError: the world records no such quantity.
    """
    spec = WORLDS.get(world).world_spec
    if name == USUAL:
        return REGRESSED.get(world) or next(quantity.name for quantity in spec.quantities if quantity.probe)
    if name not in spec.recorded:
        raise InputError(
            f"regressed is {name!r}, which world {world!r} does not record; choose {USUAL} or one of: "
            f"{', '.join(spec.recorded)}"
        )
    return name


def quantity_scale(source: MemoryEpisodes, name: str) -> float:
    """Returns the root mean square of a quantity over the training episodes, 1 where it is always 0."""
    values_Nd = np.concatenate([episode.state[name] for episode in source.episodes("train")]).astype(np.float64)
    return float(np.sqrt(np.square(values_Nd).mean())) or 1.0


def _mixture(text: str, own: Mixture) -> dict[str, float]:
    if text == "own":
        return dict(own)
    if text == "main":
        return {max(sorted(own), key=lambda name: own[name]): 1.0}
    if text == "mixed":
        total = 2 * sum(own.values())
        halves = {name: share / total for name, share in own.items()}
        return halves | {"random": halves.get("random", 0.0) + 0.5}
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.rpartition("=")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            name = ""
        if not name.strip():
            raise InputError(f"policies is {text!r}; write one of {', '.join(MIXTURES)}, or name=share,name=share")
    return found
