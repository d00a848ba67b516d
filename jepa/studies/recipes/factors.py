"""The factors of the sweep: which fields each varies, in which presets' levels, and what is claimed of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jepa.studies.recipes.choice import Candidate
from jepa.training.recipes import RECIPES, Recipe

Where = Callable[[Candidate, Candidate], bool]
Levels = Mapping[str, Mapping[str, Any]]
"""Fields that are another than the reference's, by the experiment that they are."""


def _any(one: Candidate, reference: Candidate) -> bool:
    return True


@dataclass(frozen=True)
class Factor:
    """One thing that a recipe may do in another way, and the claim that is judged by it."""

    claim: str
    """name of the claim"""
    sentence: str
    fields: Sequence[str]
    """that make it up"""
    levels: Levels
    raises: bool
    """whether the claim is that its levels score above the reference; otherwise that none of them does"""
    source: str = "our sweep"
    published: str = "no published value"
    where: Where = field(default=_any)
    """which recipes with other such fields are meant"""


def _constant(one: Candidate, reference: Candidate) -> bool:
    fields = one.fields
    return bool(fields["sigreg_weight"] == fields["sigreg_weight_end"])


def _falls(one: Candidate, reference: Candidate) -> bool:
    return not _constant(one, reference)


def _fields_of(recipe: Recipe) -> dict[str, Any]:
    """Returns what a cell says where it trains as a recipe does, but for its budget."""
    model, options, train = recipe.model, recipe.objective_options, recipe.train
    weights = ("sigreg_weight", "sigreg_weight_end", "hold", "settle", "joint_head", "joint_head_weight")
    return {
        "channels": "-".join(str(width) for width in model.encoder_options["channels"]),
        **{name: getattr(model, name) for name in ("latent_size", "history", "frameskip")},
        **{name: getattr(train, name) for name in ("horizon", "learning_rate", "batch_size")},
        **{name: options[name] for name in (*weights, "open_loop_horizons")},
    }


SMALL = _fields_of(RECIPES.get("small"))


def _shipped(one: Candidate, reference: Candidate) -> bool:
    return all(one.fields[name] == value for name, value in SMALL.items())


FACTORS: tuple[Factor, ...] = (
    Factor(
        "an-inverse-dynamics-head-helps",
        "An inverse-dynamics head that is trained with the model raises the score.",
        ("joint_head", "joint_head_weight"),
        {"joint_head_inverse": {"joint_head": "inverse"}},
        raises=True,
        source="AC-MTM (arXiv:2608.17542), a contrastive one",
        published="in SIGReg's place: Two-Room 90.7 (85.5 for LeWM), Push-T 86.7 (93.2), Cube 78.8 (66.2)",
    ),
    Factor(
        "the-recipe-small-helps",
        "The recipe `small` of `jepa run --preset small`, within the sweep's budget, scores above the reference.",
        tuple(SMALL),
        {"recipe_small": SMALL},
        raises=True,
        where=_shipped,
    ),
    Factor(
        "open-loop-prediction-helps",
        "Prediction over several action blocks, beside that of one, raises the score.",
        ("open_loop_horizons",),
        {"open_loop_3": {"open_loop_horizons": 3}},
        raises=True,
        source="RC-aux (arXiv:2605.07278), with a head for reachability",
        published="Two-Room 98.0 (88.8 without), Push-T 90.8 (91.2), Reacher 87.2 (82.8), Cube 76.0 (72.8)",
    ),
    Factor(
        "annealing-helps",
        "A λ that falls scores above one that stays where it began.",
        ("sigreg_weight_end", "hold", "settle"),
        {"sigreg_constant": {"sigreg_weight_end": 0.1}},
        raises=False,
        source="LeWorldModel trains with a constant λ",
        published="our scratch runs: annealed in all that planned well, not isolated",
        where=_constant,
    ),
    Factor(
        "regression-of-a-quantity-helps",
        "Regression of a recorded quantity, which no camera shows, raises the score (privileged).",
        ("regressed", "regressed_weight"),
        {"regressed_usual": {"regressed": "usual"}},
        raises=True,
        source="Why and How Auxiliary Tasks Improve JEPA Representations",
    ),
    Factor(
        "other-policies-do-not-help",
        "No other mixture of policies in the training episodes scores above the world's own.",
        ("policies",),
        {"policies_main": {"policies": "main"}, "policies_mixed": {"policies": "mixed"}},
        raises=False,
    ),
    Factor(
        "another-encoder-does-not-help",
        "No other width of the encoder scores above the reference's within the budget.",
        ("channels",),
        {"channels_16_32_64": {"channels": "16-32-64"}, "channels_64_128_256": {"channels": "64-128-256"}},
        raises=False,
    ),
    Factor(
        "another-latent-size-does-not-help",
        "No other latent size scores above the reference's.",
        ("latent_size",),
        {"latent_32": {"latent_size": 32}, "latent_128": {"latent_size": 128}},
        raises=False,
        source="LeWorldModel: 192 dimensions in all worlds",
    ),
    Factor(
        "a-history-does-not-help",
        "No longer history of frames scores above the reference's.",
        ("history",),
        {"history_3": {"history": 3}},
        raises=False,
        source="lewm-planning-audit, real history when planning",
        published="Two-Room -0.4 points, Push-T +0.1, Reacher +14 to +16, Cube -0.2",
    ),
    Factor(
        "another-frameskip-does-not-help",
        "No other frameskip scores above the reference's.",
        ("frameskip",),
        {"frameskip_10": {"frameskip": 10}},
        raises=False,
    ),
    Factor(
        "another-lambda-does-not-help",
        "No other λ that falls, from another start or to another end, scores above the reference's.",
        ("sigreg_weight", "sigreg_weight_end"),
        {
            "sigreg_low": {"sigreg_weight": 0.03, "sigreg_weight_end": 0.003},
            "sigreg_high": {"sigreg_weight": 0.5, "sigreg_weight_end": 0.05},
            "sigreg_falls_less": {"sigreg_weight_end": 0.03},
        },
        raises=False,
        source="LeWorldModel: λ .09",
        where=_falls,
    ),
    Factor(
        "another-learning-rate-does-not-help",
        "No other learning rate scores above the reference's.",
        ("learning_rate",),
        {"rate_half": {"learning_rate": 5e-4}, "rate_double": {"learning_rate": 2e-3}},
        raises=False,
    ),
    Factor(
        "a-smaller-batch-does-not-help",
        "No other batch, with more or fewer steps in the same budget, scores above the reference's.",
        ("batch_size",),
        {"batch_64": {"batch_size": 64}},
        raises=False,
    ),
    Factor(
        "twice-the-budget-helps",
        "Twice the budget raises the score.",
        ("amount",),
        {"twice_the_budget": {"amount": 360.0}},
        raises=True,
    ),
)
