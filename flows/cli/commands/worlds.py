"""`jepa worlds`: what there is to collect from."""

from flows.cli.commands.context import Context
from jepa.core.config import Config
from jepa.worlds import WORLDS, SuccessKind
from jepa.worlds.perturbations import PRINCIPLES
from jepa.worlds.world import WorldSpec


class WorldsOptions(Config):
    """Nothing to choose."""


Options = WorldsOptions
EXAMPLE = "jepa worlds --json"


def execute(options: WorldsOptions, context: Context) -> int:
    """Lists the registered worlds with what they can do."""
    specs = {name: WORLDS.get(name).world_spec for name in WORLDS}
    context.show(
        {"worlds": [facts(name, spec) for name, spec in specs.items()], "families": WORLDS.families()},
        [
            *(line for name, spec in specs.items() for line in describe(name, spec)),
            *(f"{name}: {text}" for name, text in WORLDS.families().items()),
        ],
    )
    return 0


def facts(name: str, spec: WorldSpec) -> dict[str, object]:
    """Returns a world's facts for a program."""
    return {
        "name": name,
        "image_size": spec.image_size,
        "action_size": spec.action_size,
        "episode_steps": spec.episode_steps,
        "quantities": {quantity.name: quantity.unit for quantity in spec.quantities},
        "factors": {factor.name: [factor.low, factor.high] for factor in spec.factors},
        "perturbations": [
            {
                "name": one.name,
                "principle": one.principle,
                "physical": one.physical,
                "strength": one.strength,
                "strengths": list(one.strengths),
                "unit": one.unit,
                "description": one.description,
            }
            for one in spec.perturbations
        ],
        "goal_kinds": list(spec.goal_kind_names),
        "scored_quantities": {kind.name: list(kind.quantities) for kind in spec.goal_kinds},
        "success": spec.success,
        "success_kinds": {kind.name: kind.description for kind in spec.success_kinds},
        "protocol": spec.protocol,
        "preset": spec.preset,
    }


def describe(name: str, spec: WorldSpec) -> list[str]:
    """Returns a world's facts for people."""
    quantities = ", ".join(f"{quantity.name} ({quantity.unit})" for quantity in spec.quantities)
    factors = ", ".join(
        f"{factor.name} {factor.low:g}…{factor.high:g} {factor.unit}".rstrip() for factor in spec.factors
    )
    perturbations = ", ".join(
        f"{principle} ({_joined(tuple(one.name for one in spec.perturbations if one.principle == principle))})"
        for principle in PRINCIPLES
        if any(one.principle == principle for one in spec.perturbations)
    )
    goals = ", ".join(
        f"{kind.name} ({kind.description}; scored by {_joined(kind.quantities)})" for kind in spec.goal_kinds
    )
    return [
        f"{name}: {spec.image_size}×{spec.image_size} pixels, {spec.action_size} actions",
        f"  quantities     {quantities}",
        f"  varies         {factors or 'nothing'}",
        f"  perturbations  {perturbations or 'none'}",
        f"  goals          {goals}",
        f"  success        {spec.success}",
        *(f"  {kind.name:<14} {_asked(kind)}" for kind in spec.success_kinds),
        f"  by default     preset {spec.preset}, judged under {spec.protocol}",
    ]


def _asked(kind: SuccessKind) -> str:
    """Returns a success test in words, with what it asks for besides the state that it judges."""
    held = f"{kind.held} states in a row" if kind.held > 1 else ""
    route = "by a legal route" if kind.legal_route else ""
    return ", ".join(part for part in (kind.description, held, route) if part)


def _joined(names: tuple[str, ...]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))
