"""Claims about regret and its bounds: Theorems 4.1 and 4.2."""

from jepa.studies.claims import CellRows, Claim, Finding, side_of, undecided

SHARED_NEXT = ("ring", "torus", "blocks", "permutations")
ROUNDING = 1e-9


def bounded(rows: CellRows, quantity: str) -> Finding:
    """Returns *held* where no measured regret of any cell lies above this bound."""
    slack = [row["value"] for row in rows.where(metric="slack", quantity=quantity).rows]
    informative = [row["value"] for row in rows.where(metric="informative", quantity=quantity).rows]
    if not slack:
        return undecided()
    share = 100 * sum(informative) / max(1, len(informative))
    words = f"least distance of bound to regret {min(slack):.2g} over {len(slack)} cells; below 1 in {share:.0f} %"
    return Finding("held" if min(slack) >= -ROUNDING else "did not hold", words, min(slack), n=len(slack))


def _one_step(rows: CellRows) -> Finding:
    return bounded(rows.where(experiment="regret", world=SHARED_NEXT), "bound as printed")


def _sharper(rows: CellRows) -> Finding:
    return bounded(rows.where(experiment="regret", world=SHARED_NEXT), "sharper bound")


def _premise(rows: CellRows) -> Finding:
    found = rows.where(experiment="regret", world="skewed_blocks")
    bound = bounded(found, "bound as printed")
    full = found.where(x=max(found.distinct("x"), default=None), metric="regret", quantity="measured")
    regret = full.over_seeds("regret")
    if regret is None:
        return undecided()
    words = (
        f"regret {regret.value:.4f} (95 % {regret.low:.4f} to {regret.high:.4f}) at a risk of 0, where the bound is 0"
    )
    return Finding(bound.verdict, words, regret.value, n=regret.n)


def _many_steps(rows: CellRows) -> Finding:
    return bounded(rows.where(experiment="horizon", world="permutations"), "bound as printed")


def _linear(rows: CellRows) -> Finding:
    found = rows.where(experiment="horizon", world="permutations").where(samples=_estimated(rows))
    words, growths = [], []
    for rollout in ("measured, linear", "measured, snap"):
        growths.append(found.over_seeds("growth", quantity=rollout))
        curve = [found.over_seeds("regret", quantity=rollout, x=x) for x in found.where(metric="regret").distinct("x")]
        words.append(f"{rollout.split()[-1]} {', '.join(f'{one.value:.4f}' for one in curve if one is not None)}")
    return side_of(0.0, growths, f"regret at T = 1, 2, …: {'; '.join(words)}", above=False)


def _estimated(rows: CellRows) -> list[int]:
    return [samples for samples in rows.distinct("samples") if samples]


BOUNDS = (
    Claim(
        "regret-one-step",
        "Theorem 4.1",
        "One-step regret is at most 2 c₀ max √R, where the law of the next state is the same for each action.",
        "proved; no figure",
        _one_step,
    ),
    Claim(
        "regret-premise",
        "Theorem 4.1, as printed",
        "For that, equal means of w(x_g | a) over the goals are enough.",
        "premise of the theorem; its proof needs the same law for each action",
        _premise,
    ),
    Claim(
        "regret-sharper",
        "ours, by the entries of M̄ - GᵀF",
        "One-step regret is at most (2/n) √(Σ R), where the law of the next state is the same for each action.",
        "derived",
        _sharper,
    ),
    Claim(
        "regret-many-steps",
        "Theorem 4.2",
        "With deterministic dynamics the regret of T steps is at most 2 T c₃ max √R.",
        "proved; no figure",
        _many_steps,
    ),
    Claim(
        "regret-linear",
        "Theorem 4.2, read as growth",
        "Measured regret too grows no faster than linearly with the length of the plan.",
        "the bound is linear; no figure",
        _linear,
    ),
)
