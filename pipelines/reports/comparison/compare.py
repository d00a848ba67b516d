"""Two models or more on the same problems and episodes: what differs, and by how much."""

from collections.abc import Sequence

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation.statistics import holm
from pipelines.reports.comparison.origins import KindMatch, kinds_of, match
from pipelines.reports.comparison.pairs import difference, seeds_means, variance_table
from pipelines.reports.comparison.refusals import Refusal, left_out_words, refusal, sentences
from pipelines.reports.comparison.results import Comparison, Difference, SeedsMean, VarianceTable
from pipelines.reports.comparison.scores import Scores, read_scores
from pipelines.reports.comparison.sides import Side, find_sides
from pipelines.reports.comparison.unpaired import unpaired
from pipelines.store.reports import committed_units


def compare(store: Store, texts: Sequence[str], kinds: Sequence[str] = ()) -> Comparison:
    """Returns how each side after the first differs from the first, from the rows of the named models alone.

    Args:
        store: with the evaluations.
        texts: sides, see `find_sides`.
        kinds: of evaluation; by default all that both were judged by.

    Raises:
        InputError: a side has no evaluation, or nothing of two sides can be compared; the message says what differs
            and which command helps.
    """
    sides = find_sides(store, texts, committed_units(store))
    work = _Work(store, sides)
    for second in sides[1:]:
        work.hold_against(sides[0], second, kinds)
    return work.result()


class _Work:
    """A comparison under way."""

    def __init__(self, store: Store, sides: Sequence[Side]) -> None:
        self.store = store
        self.sides = sides
        self.differences: list[Difference] = []
        self.seeds: dict[tuple[str, ...], SeedsMean] = {}
        self.variance: dict[tuple[object, ...], VarianceTable] = {}
        self.notes: list[str] = []

    def hold_against(self, first: Side, second: Side, kinds: Sequence[str]) -> None:
        """Adds what one side differs from the first in.

        Raises:
            InputError: nothing can be compared.
        """
        refused: list[Refusal] = []
        notes: list[str] = []
        found: list[Difference] = []
        judged = kinds_of([first, second])
        if unknown := [kind for kind in kinds if kind not in judged]:
            known = ", ".join(judged)
            raise InputError(
                f"neither {first.text} nor {second.text} was judged by {unknown[0]!r}; choose from: {known}"
            )
        for kind in kinds or judged:
            one = match(kind, [first, second])
            if one.lacking:
                notes.append(f"{kind}: {', '.join(one.lacking)} was not judged by it")
            elif not one.common:
                refused.append(refusal(self.store, one, first, second))
            else:
                found += self._of_kind(one, first, second, notes)
        if not found:
            reasons = [*sentences(refused), *notes] or ["they share no problem, episode or figure"]
            raise InputError(f"models {first.text} and {second.text} cannot be compared: {' · '.join(reasons)}")
        self.notes += [*sentences(refused), *notes]
        self.differences += found

    def _of_kind(self, one: KindMatch, first: Side, second: Side, notes: list[str]) -> list[Difference]:
        units = [unit for model in one.models for unit in one.units(model)]
        scores = list(read_scores(self.store, one.kind, units))
        paired = [(own, difference(own, first, second)) for own in scores]
        found = [difference for _, difference in paired if difference is not None]
        for text, unit in one.left_out():
            notes.append(f"{one.kind}: not every model was judged as {text} was on {left_out_words(one, unit)}")
        self._summarise([own for own, difference in paired if difference is not None], first, second)
        alone = [own for own, difference in paired if difference is None]
        if alone:
            notes.append(f"{one.kind}: {len(alone)} figures have no problem or episode that all models have")
        return found or list(unpaired(self.store, one, first, second))

    def _summarise(self, scores: Sequence[Scores], first: Side, second: Side) -> None:
        for side in (first, second):
            for mean in seeds_means(scores, side):
                self.seeds[mean.side, mean.evaluation, mean.protocol, mean.metric, mean.planner] = mean
            for own in scores:
                table = variance_table(own, side)
                if table is not None:
                    self.variance[side.text, own.metric, *own.labels.items()] = table

    def result(self) -> Comparison:
        """Returns all that was found; p-values are corrected over the whole comparison."""
        tested = {number: one.p_value for number, one in enumerate(self.differences) if one.p_value is not None}
        for number, p_value in zip(tested, holm(list(tested.values())), strict=True):
            self.differences[number] = self.differences[number].model_copy(update={"p_holm": float(p_value)})
        return Comparison(
            sides={side.text: tuple(side.models_text) for side in self.sides},
            differences=tuple(self.differences),
            seeds=tuple(self.seeds.values()),
            variance=tuple(self.variance.values()),
            notes=tuple(dict.fromkeys(self.notes)),
        )
