"""What a sweep says: which recipe was chosen and what it is worth on test, whether the loss would have chosen it, and
what each change to the reference does.

All but the chosen recipe's figures, and those of the recipe of lowest loss, are of validation episodes: who reads them
chooses by no test episode either.
"""

from collections.abc import Callable
from dataclasses import replace

from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import CellRows, Claim, Finding, side_of, undecided
from jepa.studies.recipes.choice import SCORE, TEST_SCORE, Sweep, sweeps
from jepa.studies.recipes.factors import FACTORS, Factor
from jepa.studies.recipes.words import effect, figures_on_test, signed, winner

MARGIN = 0.02
"""Of the score, within which one recipe counts as no worse than another."""

Judged = tuple[list[Estimate], str]
"""The differences that a claim is about in one world, and words for them."""


def _in_all_worlds(
    judge: Callable[[Sweep], Judged], border: float = 0.0, *, above: bool = True
) -> Callable[[CellRows], Finding]:
    """Returns a judge of a table: what a claim says has to hold in every world that was swept."""

    def judged(rows: CellRows) -> Finding:
        found = [(one.world, *(([], one.problem) if one.problem else judge(one))) for one in sweeps(rows)]
        estimates = [estimate for _, own, _ in found for estimate in own]
        words = "; ".join(f"{world}: {said}" for world, _, said in found if said)
        if not estimates:
            return undecided(words) if words else undecided()
        return side_of(border, estimates, words, above=above)

    return judged


def _a_change_pays(sweep: Sweep) -> Judged:
    """Judges the best recipe but the reference against it, on validation episodes."""
    reference, best = sweep.reference, sweep.challenger
    if reference is None or best is None or (difference := best.over(reference, SCORE)) is None:
        return [], ""
    return [difference], winner(sweep, best, reference)


def _holds_on_test(sweep: Sweep) -> Judged:
    """Judges the chosen recipe against the reference, on test episodes."""
    reference, chosen = sweep.reference, sweep.chosen
    if reference is None or chosen is None:
        return [], ""
    if chosen is reference:
        return [], f"the reference itself was chosen; {figures_on_test(chosen)}"
    difference = chosen.over(reference, TEST_SCORE)
    if difference is None:
        return [], ""
    words = f"{figures_on_test(chosen)}; score {signed(difference)} over the reference; {figures_on_test(reference)}"
    return [difference], words


def _lowest_error_is_as_good(sweep: Sweep) -> Judged:
    """Judges the recipe that a loss would have chosen against the chosen one, on test episodes."""
    lowest, chosen = sweep.of_lowest_error, sweep.chosen
    if lowest is None or chosen is None or len(sweep.eligible) < 2:
        return [], ""
    difference = lowest.over(chosen, TEST_SCORE)
    if difference is None:
        return [], ""
    same = "which is the chosen one" if lowest is chosen else f"chosen was {chosen.name}"
    words = f"lowest error: {lowest.name}, {same}; its score on test less the chosen one's {signed(difference)}"
    correlation = sweep.rank_correlation()
    if correlation is not None:
        bounded = replace(correlation, low=max(-1.0, correlation.low), high=min(1.0, correlation.high))
        words += f"; rank correlation of error and score over recipes {signed(bounded)}"
    return [difference], words


def _factor(factor: Factor) -> Callable[[Sweep], Judged]:
    def judge(sweep: Sweep) -> Judged:
        reference = sweep.reference
        if reference is None:
            return [], ""
        found = []
        for one in sweep.changed_in(factor.fields, factor.where):
            difference = one.over(reference, SCORE)
            if difference is not None:
                found.append((difference, effect(one, reference)))
        return [difference for difference, _ in found], ", ".join(words for _, words in found)

    return judge


def _claim_of(factor: Factor) -> Claim:
    judge = _in_all_worlds(_factor(factor), above=factor.raises)
    return Claim(factor.claim, factor.source, factor.sentence, factor.published, judge)


CLAIMS = (
    Claim(
        "a-change-pays-on-validation",
        "our sweep",
        "The best of the changed recipes scores above the reference on validation episodes, of which it is the best.",
        "no published value",
        _in_all_worlds(_a_change_pays),
    ),
    Claim(
        "the-choice-holds-on-test",
        "our sweep",
        "The recipe that validation episodes chose scores above the reference on test episodes.",
        "no published value",
        _in_all_worlds(_holds_on_test),
    ),
    Claim(
        "the-lowest-loss-is-as-good",
        "lewm-planning-audit, Push-T over training seeds",
        "The recipe that predicts best on validation episodes scores as well on test as the chosen one, within .02.",
        "rank correlation of loss and success .02",
        _in_all_worlds(_lowest_error_is_as_good, -MARGIN),
    ),
    *(_claim_of(factor) for factor in FACTORS),
)
