"""Whether a recording holds what its world's simulator needs to be put into the recorded states."""

from collections.abc import Mapping

from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.worlds.registry import WORLDS


def simulator_problem(source: EpisodeSource) -> str | None:
    """Returns why no simulator can be put into the states of a recording, in a sentence; None where one can."""
    world = source.world
    if world not in WORLDS:
        return (
            f"world {world!r} is not known, so that nothing can be simulated from this recording; import it with "
            "--world, or leave out what needs a simulator"
        )
    takes = WORLDS.get(world).world_spec.action_size
    if takes != source.action_size:
        return (
            f"the recording has {source.action_size} values an action and world {world!r} takes {takes}; "
            "collect or import it again"
        )
    missing = lacking_quantities(world, source.quantities)
    return lacking_sentence(world, missing) if missing else None


def require_simulator(source: EpisodeSource, evaluation: str) -> None:
    """Passes where the recorded states can be simulated.

    Raises:
        InputError: they cannot; says what is lacking and how to give it.
    """
    problem = simulator_problem(source)
    if problem is not None:
        raise InputError(f"evaluation {evaluation!r} needs a simulator, and {problem}")


def lacking_quantities(world: str, held: Mapping[str, int]) -> dict[str, int]:
    """Returns the quantities of a world, with their sizes, that a recording lacks or has of another size.

    Args:
        world: registered name.
        held: dimensions of each quantity of the recording.

    Raises:
        InputError: the world is not known.
    """
    return {name: size for name, size in WORLDS.get(world).world_spec.recorded.items() if held.get(name) != size}


def lacking_sentence(world: str, missing: Mapping[str, int]) -> str:
    """Returns what a recording lacks for its world, and how to give it."""
    listed = ", ".join(f"{name} ({size})" for name, size in missing.items())
    name, size = next(iter(missing.items()))
    return (
        f"what world {world!r} needs to be simulated from this recording is lacking: {listed}; map columns of the file "
        f"to them when importing it, e.g. --columns {name}=state[0:{size}]; evaluations without a simulator need none"
    )
