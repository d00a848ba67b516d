"""What papers say of these objectives that a table of cells can test, and how each is read off it."""

from collections.abc import Callable, Iterable

import numpy as np

from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import CellRows, Claim, Finding, mean_interval, side_of, undecided
from jepa.studies.objectives.arms import ARMS

COLLAPSED = 0.05
"""Share of the untrained latents' spread below which an arm counts as collapsed."""
REGULARISED = ("lejepa", "lewm", "pldm")
"""Arms with a term against collapse that looks at the latents alone."""


def _collapses(arms: Iterable[str], *, collapsed: bool) -> Callable[[CellRows], Finding]:
    def judge(rows: CellRows) -> Finding:
        found = {arm: rows.over_seeds("spread_left", objective=arm) for arm in arms}
        return side_of(COLLAPSED, list(found.values()), _words("spread left", found), above=not collapsed)

    return judge


def _plans_better(one: str, other: str) -> Callable[[CellRows], Finding]:
    """Returns a judge of goals reached, over all kinds of goals, paired by seed; found tells the other figures too."""

    def judge(rows: CellRows) -> Finding:
        first, second = (rows.over_seeds("goals_reached", objective=arm) for arm in (one, other))
        difference = rows.difference("goals_reached", {"objective": one}, {"objective": other})
        if first is None or second is None or difference is None:
            return undecided()
        words = f"{one} {first.value:.0%} of goals, {other} {second.value:.0%}; {_also(rows, one, other)}"
        return side_of(0.0, [difference], words)

    return judge


def _also(rows: CellRows, one: str, other: str) -> str:
    """Returns the paired differences of the other figures, `one` minus `other`."""
    parts = []
    for name, metric, quantity in (
        ("across rooms", "goals_reached", "cross_room"),
        ("final distance", "final_distance", None),
        ("linear R²", "linear_r2", "all"),
        ("MLP R²", "mlp_r2", "all"),
        ("teleport AUROC", "auroc", "teleport"),
    ):
        fields = {} if quantity is None else {"quantity": quantity}
        difference = rows.difference(metric, {"objective": one, **fields}, {"objective": other, **fields})
        if difference is not None:
            parts.append(f"{name} {_signed(difference)}")
    return "difference " + ", ".join(parts) if parts else ""


def _notices(shift: str) -> Callable[[CellRows], Finding]:
    def judge(rows: CellRows) -> Finding:
        found = rows.over_seeds("auroc", objective="lewm", quantity=shift)
        words = "" if found is None else f"AUROC {found.value:.3f} at {shift}"
        return side_of(0.5, [found], words)

    return judge


def _teleport_is_clearer(rows: CellRows) -> Finding:
    shifts = {shift: {"objective": "lewm", "quantity": shift} for shift in ("teleport", "recolour")}
    difference = rows.difference("auroc", shifts["teleport"], shifts["recolour"])
    found = {shift: rows.over_seeds("auroc", **fields) for shift, fields in shifts.items()}
    return side_of(0.0, [difference], _words("AUROC at", found))


def _reads_as_well(one: str, other: str, margin: float) -> Callable[[CellRows], Finding]:
    def judge(rows: CellRows) -> Finding:
        fields = {"quantity": "agent_position"}
        pair = ({"objective": one, **fields}, {"objective": other, **fields})
        seeds = [rows.by_seed("linear_r2", **arm) for arm in pair]
        shared = sorted(seeds[0].keys() & seeds[1].keys())
        if not shared:
            return undecided()
        # The published figures are correlations.
        gap = mean_interval([np.sqrt(max(0, seeds[0][s])) - np.sqrt(max(0, seeds[1][s])) for s in shared])
        found = {arm["objective"]: rows.over_seeds("linear_r2", **arm) for arm in pair}
        return side_of(-margin, [gap], f"{_words('linear R²', found)}; difference of r {_signed(gap)}")

    return judge


def _words(what: str, found: dict[str, Estimate | None]) -> str:
    parts = [f"{name} {one.value:.3g}{_ends(one)}" for name, one in found.items() if one is not None]
    return f"{what}: {', '.join(parts)}" if parts else ""


def _signed(one: Estimate) -> str:
    return f"{one.value:+.3f}{_ends(one, '+')}"


def _ends(one: Estimate, sign: str = "") -> str:
    return "" if one.n < 2 else f" [{one.low:{sign}.3f}, {one.high:{sign}.3f}]"


def _against_lewm(arm: str) -> Claim:
    source, published = PUBLISHED[arm]
    sentence = f"LeWM's objective plans better than `{arm}` on the same data and budget."
    name = f"lewm-plans-better-than-{arm.replace('_', '-')}"
    return Claim(name, source, sentence, published, _plans_better("lewm", arm))


NONE = ("our comparison", "no published value")
PUBLISHED = dict.fromkeys(ARMS, NONE) | {
    "pldm": ("LeWorldModel, Fig. 6", "the reverse on Two-Room: LeWM 87 %, PLDM 97 %"),
    "reconstruction": (
        "LeWorldModel, ablation; A Generalization Theory, section 5",
        "with a decoder's loss added 86.0 ± 7.5 %, without 96.0 ± 2.8 % (Push-T); latent above input prediction where "
        "there is noise",
    ),
    "prediction_only": ("LeWorldModel, section 3", "collapses; no value"),
}
"""Where each comparison with LeWM stands, and what was published of it."""

CLAIMS = (
    Claim(
        "prediction-alone-collapses",
        "LeWorldModel, section 3; Why and How Auxiliary Tasks, section 5",
        "Prediction with nothing against collapse, and no stopped gradient, makes all latents alike.",
        "complete collapse, no value",
        _collapses(["prediction_only"], collapsed=True),
    ),
    Claim(
        "regularisers-prevent-collapse",
        "LeJEPA; LeWorldModel, section 3; PLDM",
        "SIGReg and the VICReg family keep latents apart without a teacher or a stopped gradient.",
        "no value",
        _collapses(REGULARISED, collapsed=False),
    ),
    Claim(
        "an-auxiliary-task-prevents-collapse",
        "Why and How Auxiliary Tasks, Theorem 1",
        "Regression of a quantity beside prediction keeps latents apart, with no other term.",
        "no value",
        _collapses(["auxiliary"], collapsed=False),
    ),
    Claim(
        "lewm-notices-a-teleport",
        "LeWorldModel, section 6",
        "LeWM is surprised when an object is somewhere else all at once.",
        "paired t-test, p < .01 in three worlds",
        _notices("teleport"),
    ),
    Claim(
        "a-teleport-is-clearer-than-a-colour",
        "LeWorldModel, section 6",
        "LeWM is more surprised by a teleport than by a change of colour.",
        "teleport p < .01; colour weaker and not significant",
        _teleport_is_clearer,
    ),
    Claim(
        "lewm-reads-position-as-well-as-pldm",
        "LeWorldModel, Table 3",
        "A linear probe reads the agent's position from LeWM's latents as well as from PLDM's, within .01 of r.",
        "r .996 and .996 on Two-Room",
        _reads_as_well("lewm", "pldm", 0.01),
    ),
    *(_against_lewm(arm) for arm in ARMS if arm != "lewm"),
)
