"""Claims that hold to rounding or not at all: constant, optimum, shared encoder, bridge."""

from jepa.studies.claims import CellRows, Claim, Finding, Verdict, side_of, undecided

ROUNDING = 1e-8


def vanishing(rows: CellRows, metrics: str | tuple[str, ...], words: str) -> Finding:
    """Returns *held* where all values of these metrics are zero to rounding, *did not hold* otherwise."""
    values = [abs(row["value"]) for row in rows.where(metric=metrics).rows]
    if not values:
        return undecided()
    worst = max(values)
    return Finding(
        "held" if worst < ROUNDING else "did not hold", f"{words} {worst:.1e} over {len(values)} cells", worst
    )


def _constant(rows: CellRows) -> Finding:
    return vanishing(rows.where(experiment="constant"), "constant_gap", "largest difference")


def _optimum(rows: CellRows) -> Finding:
    found = rows.where(experiment="constant")
    gap = vanishing(found, "optimum_gap", "risk of the closed form differs from the tail by at most")
    excess = [row["value"] for row in found.where(metric="least_excess").rows]
    if gap.verdict != "held" or not excess:
        return gap
    verdict: Verdict = "held" if min(excess) > -ROUNDING else "did not hold"
    return Finding(verdict, f"{gap.found}; other features leave at least {min(excess):.1e} more", min(excess))


def _shared(rows: CellRows) -> Finding:
    found = rows.where(experiment="constant")
    cost = {world: found.over_seeds("cost_of_sharing", world=world) for world in found.distinct("world")}
    measured = {world: one for world, one in cost.items() if one is not None}
    if not measured:
        return undecided()
    words = ", ".join(f"{world} {one.value:.3f}" for world, one in measured.items())
    largest = max(measured.values(), key=lambda one: one.low)
    if largest.low <= ROUNDING and any(one.high > ROUNDING for one in measured.values()):
        return Finding("not decided", f"risk over the tail: {words}", largest.value, n=largest.n)
    verdict: Verdict = "held" if largest.high <= ROUNDING else "did not hold"
    return Finding(verdict, f"risk over the tail: {words}", largest.value, largest.low, largest.high, largest.n)


def _trained(rows: CellRows) -> Finding:
    found = rows.where(experiment="spectral")
    sizes = found.distinct("k")
    excess = [found.over_seeds("relative_excess", k=k) for k in sizes]
    angles = [found.over_seeds("subspace_angle", k=k) for k in sizes]
    words = ", ".join(
        f"k = {k}: excess {100 * one.value:.2f} % of the least risk, angle {angle.value:.1f}°"
        for k, one, angle in zip(sizes, excess, angles, strict=True)
        if one is not None and angle is not None
    )
    return side_of(0.05, excess, words, above=False) if excess else undecided()


def _bridge(rows: CellRows) -> Finding:
    found = rows.where(experiment="bridge")
    gap = vanishing(found, "bridge_gap", "largest gap")
    excess = [row["value"] for row in found.where(metric="whitened_excess").rows]
    if gap.verdict != "held" or not excess or min(excess) > -ROUNDING:
        return gap
    return Finding("did not hold", f"another whitened encoder loses {-min(excess):.1e} less", min(excess))


EXACT = (
    Claim(
        "constant",
        "Theorem 3.1",
        "For latents and predictions of unit norm the loss is the spectral risk plus a constant, 2 - ‖M̄‖².",
        "proved",
        _constant,
    ),
    Claim(
        "optimum",
        "Theorem 4.3",
        "The least spectral risk of an action is the sum of its squared singular values beyond the k-th.",
        "proved",
        _optimum,
    ),
    Claim(
        "one-encoder",
        "Theorem 4.3, for all actions at once",
        "One encoder reaches the least risk of every action.",
        "taken for granted: the optimal encoder depends on the action, the model's does not",
        _shared,
    ),
    Claim(
        "trained",
        "equation 16",
        "Stochastic gradients on the spectral objective end within 5 % of the least risk of a shared encoder.",
        "no figure",
        _trained,
    ),
    Claim(
        "bridge",
        "ours, between two papers",
        "An Ornstein-Uhlenbeck process has the singular values ρ^d and, for whitened latents and a free predictor, the "
        "least loss k - Σ σ²: the operator is that of the paper on identifiability.",
        "derived",
        _bridge,
    ),
)
