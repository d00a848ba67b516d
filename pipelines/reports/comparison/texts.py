"""A comparison as lines for a terminal of 80 columns."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from pipelines.reports.comparison.results import Comparison, Difference, SeedsMean, VarianceTable
from pipelines.reports.words import digits, plain

PERCENT = ("success_rate", "pairwise_accuracy")
"""Figures that are read in per cent, and their differences in points."""
FIRST = ("success_rate", "final_distance", "regret")
"""Figures that stand first among those of their evaluation."""
WIDTH = 80


def comparison_lines(found: Comparison) -> list[str]:
    """Returns a block for each pair of sides and figure, then means over seeds, the split of variance, and notes."""
    lines: list[str] = []
    for (first, second), rows in by_figure(found.differences):
        title = f"{second} less {first}  (95 % interval; * p below .05, Holm-corrected)"
        lines += ([""] if lines else []) + _wrapped(title)
        lines += _verdict_lines([one for own in rows for one in own])
        for own in rows:
            lines += ["", *_block(own)]
    lines += _seeds_lines(found.seeds)
    lines += _variance_lines(found.variance)
    notes = [line for note in found.notes for line in _wrapped(f"not compared: {note}")]
    return [*lines, *(["", *notes] if notes else [])]


def by_figure(differences: Sequence[Difference]) -> Iterator[tuple[tuple[str, str], list[list[Difference]]]]:
    """Yields the differences of each pair of sides, those of one figure together, in reading order."""
    for sides, own in groupby(differences, key=lambda one: (one.first, one.second)):
        held = list(own)
        most: dict[str, int] = {}
        for one in held:
            most[one.protocol] = max(most.get(one.protocol, 0), one.n)
        ordered = sorted(held, key=lambda one: (_figure(one)[:2], -most[one.protocol], _figure(one)))
        yield sides, [list(rows) for _, rows in groupby(ordered, key=_figure)]


def shown_labels(rows: Sequence[Difference] | Sequence[VarianceTable]) -> list[str]:
    """Returns the labels that tell some differences apart; those of one alone all do."""
    names = list(dict.fromkeys(name for one in rows for name, _ in one.labels))
    several = [name for name in names if len({dict(one.labels).get(name) for one in rows}) > 1]
    return several if len(rows) > 1 else names


def value_text(metric: str, value: float | None, *, signed: bool = False) -> str:
    """Returns a figure or a difference as people read it, rates in per cent, a dash for none."""
    if value is None:
        return "–"
    text = f"{value * 100:.1f}" if metric in PERCENT else digits(value)
    text = text.replace("-", "−")
    return f"+{text}" if signed and value > 0 and float(text) else text


def interval_text(one: Difference) -> str:
    """Returns the ends of a difference's interval, nothing where there is none."""
    if one.ci_low is None or one.ci_high is None:
        return "no interval"
    return f"{value_text(one.metric, one.ci_low, signed=True)} … {value_text(one.metric, one.ci_high, signed=True)}"


def p_text(p_value: float | None) -> str:
    """Returns a p-value with two digits that count, nothing where there is none."""
    if p_value is None:
        return ""
    return "< .0001" if p_value < 1e-4 else f"{p_value:.2g}"


def metric_text(one: Difference | VarianceTable | SeedsMean) -> str:
    """Returns what a figure is, with its unit."""
    unit = "%" if one.metric in PERCENT else "" if getattr(one, "unit", "1") in ("1", "") else getattr(one, "unit", "")
    return f"{plain(one.metric)}, {unit}" if unit else plain(one.metric)


def _figure(one: Difference) -> tuple[int, str, str, int, str]:
    """Returns the key of reading order: planning, then what else pairs, then the rest."""
    kind = 0 if one.evaluation == "planning" else 1 if one.over not in ("unpaired", "seeds") else 2
    place = FIRST.index(one.metric) if one.metric in FIRST else len(FIRST)
    return kind, one.evaluation, one.protocol, place, one.metric


def _verdict_lines(rows: Sequence[Difference]) -> list[str]:
    """Returns who is ahead in what reaching goals comes to, on the protocol with the most problems; it stands first."""
    lines = []
    for metric in ("success_rate", "regret"):
        every = [one for one in rows if one.evaluation == "planning" and one.metric == metric]
        own = [one for one in every if one.protocol == every[0].protocol]
        if not own:
            continue
        won = {
            side: sum(one.verdict == verdict for one in own)
            for side, verdict in (("second", "better"), ("first", "worse"))
        }
        names = {"first": own[0].first, "second": own[0].second}
        ahead = [f"{names[side]} is better in {count} of {len(own)}" for side, count in won.items() if count]
        found = ", ".join(ahead) or f"no difference that chance would not make, in {len(own)}"
        lines += _wrapped(f"{plain(metric)}, {own[0].protocol}, n {max(one.n for one in own)}: {found}")
    return lines


def _block(rows: Sequence[Difference]) -> Iterator[str]:
    first = rows[0]
    better = {True: "less is better, ", False: "more is better, ", None: ""}[first.less_is_better]
    over = "not paired" if first.over == "unpaired" else f"over {first.over}"
    yield from _wrapped(f"{first.evaluation}, {first.protocol}: {metric_text(first)} ({better}{over})")
    names = f"{_cut(first.first, 9):>10}{_cut(first.second, 9):>10}"
    yield f"  {'':<20}{names}{'difference':>11}  {'interval':<17}{'n':>5}"
    shown = shown_labels(rows)
    for one in rows:
        mark = "" if one.verdict == "open" else "*"
        values = f"{value_text(one.metric, one.first_value):>10}{value_text(one.metric, one.second_value):>10}"
        change = f"{value_text(one.metric, one.difference, signed=True):>10}{mark:<1}"
        yield f"  {_cut(one.words(shown), 20):<20}{values}{change}  {interval_text(one):<17}{one.n:>5}"
        details = []
        if one.improvement is not None:
            details.append(f"P(better) {one.improvement:.2f} ({_ends(one)})")
        if one.p_value is not None:
            exact = "" if one.only_first is None else f"McNemar {one.only_first} : {one.only_second}, "
            details.append(f"{exact}p {p_text(one.p_value)}, Holm {p_text(one.p_holm)}")
        if one.missing:
            details.append(f"{one.missing} not in all models")
        if details:
            yield from _wrapped("; ".join(details), "    ")


def _ends(one: Difference) -> str:
    if one.improvement_low is None or one.improvement_high is None:
        return "no interval"
    return f"{one.improvement_low:.2f} … {one.improvement_high:.2f}"


def _seeds_lines(means: Sequence[SeedsMean]) -> list[str]:
    if not means:
        return []
    lines = ["", "interquartile mean over seeds, of all goals, splits and perturbations (95 %)"]
    for one in sorted(means, key=lambda mean: (mean.evaluation, mean.protocol, mean.metric, mean.planner, mean.side)):
        name = ", ".join(filter(None, (plain(one.metric), one.planner, one.protocol)))
        ends = [value_text(one.metric, end) for end in (one.ci_low, one.ci_high)]
        value = f"{value_text(one.metric, one.value):>7}  {' … '.join(ends):<15}"
        lines.append(f"  {_cut(name, 28):<29}{_cut(one.side, 14):<15}{value} {one.seeds} × {one.tasks}")
    return lines


def _variance_lines(tables: Sequence[VarianceTable]) -> list[str]:
    """Returns one table: shares of the variance of one score, and what a difference of two recipes is worth."""
    if not tables:
        return []
    size = sorted({f"{one.seeds} seeds × {one.streams} streams × {one.problems} problems" for one in tables})
    lines = ["", *_wrapped(f"where scatter comes from, % of one score's variance ({'; '.join(size)})")]
    lines.append(f"  {'':<36}{'seed':>6}{'stream':>7}{'problem':>8}{'rest':>6}{'SE':>8}{'found':>7}")
    for (metric, side), own in groupby(sorted(tables, key=lambda one: (one.metric, one.side)), key=_of_side):
        rows = list(own)
        lines.append(f"  {_cut(f'{metric_text(rows[0])}: {side}', 60)}")
        shown = shown_labels(rows)
        for one in rows:
            shares = [one.share_of(factor) for factor in ("seed", "stream", "problem")]
            text = [f"{_share(share):>{width}}" for share, width in zip((*shares, one.rest), (6, 7, 8, 6), strict=True)]
            ends = f"{value_text(metric, one.difference_error):>8}{value_text(metric, one.detectable):>7}"
            lines.append(f"    {_cut(one.words(shown), 34):<34}{''.join(text)}{ends}")
    return [*lines, "  SE: of a difference of two such recipes; found: what 80 % of comparisons find"]


def _of_side(one: VarianceTable) -> tuple[str, str]:
    return one.metric, one.side


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.0f}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
