"""Why two models cannot be compared, and the command after which they can."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.storage import Store
from pipelines.reports.comparison.origins import KindMatch, differences
from pipelines.reports.comparison.sides import Side
from pipelines.store.references import SHORT
from pipelines.store.reports import read_table
from pipelines.store.reports.manifest import UnitManifest


@dataclass(frozen=True)
class Refusal:
    """A kind of evaluation that two sides cannot be compared by."""

    kind: str
    what: str
    """what differs, in words"""
    command: str
    """up to the kinds"""
    rest: str = ""
    """after the kinds"""


def refusal(store: Store, match: KindMatch, first: Side, second: Side) -> Refusal:
    """Returns why a kind that both sides were judged by has no origin that all their models have."""
    one, other = _closest(match, first, second)
    what = f"{one.model_text} and {other.model_text} differ in {', '.join(differences(one, other))}"
    # What was judged by older code is judged again; else the second as the first was.
    older = (one.evaluation_version or 0) < (other.evaluation_version or 0)
    wanted, again = (other, one) if older else (one, other)
    return Refusal(match.kind, what, *_command(store, match.kind, wanted, again))


def sentences(refusals: Sequence[Refusal]) -> list[str]:
    """Returns a sentence for each thing that differs, over all kinds that differ so."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in refusals:
        groups.setdefault((one.what, one.command, one.rest), []).append(one.kind)
    return [
        f"{', '.join(kinds)}: {what}; to judge both alike: {command} --kinds {' '.join(kinds)}{rest}"
        for (what, command, rest), kinds in groups.items()
    ]


def left_out_words(match: KindMatch, unit: UnitManifest) -> str:
    """Returns what a unit was made on, with what of it differs from the nearest of those that all models have."""
    held = [own[0] for by in match.origins.values() for origin, own in by.items() if origin in match.common]
    apart = min((differences(unit, one) for one in held), key=len)
    return f"{unit.dataset_text}; it differs in {', '.join(part.partition(' (')[0] for part in apart)}"


def _closest(match: KindMatch, first: Side, second: Side) -> tuple[UnitManifest, UnitManifest]:
    """Returns the units of two models that differ in the least, and are the newest of these.

    Where every pair of the two sides has an origin in common, it is a third model that has none.
    """
    origins = match.origins
    pairs = [
        (origins[one.text], origins[other.text])
        for one in (*first.models, *second.models)
        for other in (*first.models, *second.models)
        if one is not other
    ]
    apart = [pair for pair in pairs if not set(pair[0]) & set(pair[1])] or pairs
    units = [
        (mine, theirs)
        for one, other in apart[:1]
        for mine in (own[0] for own in one.values())
        for theirs in (own[0] for own in other.values())
        if differences(mine, theirs)
    ]
    return min(units, key=lambda pair: (len(differences(*pair)), -pair[0].created_at.timestamp()))


def _command(store: Store, kind: str, wanted: UnitManifest, again: UnitManifest) -> tuple[str, str]:
    """Returns the command that judges one model as another was: before the kinds, and after them."""
    flags = [f"jepa evaluate --model {again.model_text}"]
    if wanted.dataset:
        flags.append(f"--dataset {wanted.dataset_text}")
    protocol, seed = _named(store, kind, wanted)
    if protocol:
        flags.append(f"--protocol {protocol}")
    if seed:
        flags.append(f"--seed {seed}")
    problems = f" --problems {wanted.problems_digest[:SHORT]}" if wanted.problems_digest else ""
    return " ".join(flags), problems


def _named(store: Store, kind: str, unit: UnitManifest) -> tuple[str, int]:
    """Returns the protocol's name and the seed, which rows know and manifests do not."""
    rows = read_table(store, "metrics", columns=["protocol", "evaluation", "seed"], units=[unit]).compute()
    rows = rows[rows.evaluation == kind]
    return (str(rows.protocol.iloc[0]), int(rows.seed.iloc[0])) if len(rows) else ("", 0)
