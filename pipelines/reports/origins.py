"""Where a figure comes from, and the shortest words that tell several origins apart.

Figures of different origins are never pooled: another model, dataset version, protocol, evaluation version, split or
seed makes another figure.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jepa.core.config import Config
from pipelines.reports.selection import grouped
from pipelines.store.references import SHORT


class Origin(Config):
    """What the rows of one figure have in common; None is what older code did not write."""

    model: str
    model_digest: str | None = None
    dataset: str
    dataset_version: int | None = None
    dataset_digest: str | None = None
    protocol: str = ""
    protocol_digest: str | None = None
    evaluation: str = ""
    evaluation_version: int | None = None
    problems_digest: str | None = None
    split: str = ""
    seed: int | None = None
    run: str | None = None
    """of rows without digests alone, which may be the same sample in two runs; a unit with digests is no run's own"""


COLUMNS = tuple(Origin.model_fields)
PLACE = ("model", "model_digest", "dataset", "dataset_version", "dataset_digest", "protocol", "seed", "run", "split")
"""The columns of an origin that are the same for all evaluations of one model under one protocol."""
MISSING: dict[Any, Any] = {np.nan: None}
WORDS = ("model", "dataset", "protocol", "version", "problems", "seed", "run")


def with_origins(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows with plain values, None for a missing one, and `run` only where no digest says what they are."""
    rows = rows.assign(run=rows.run.astype(object).mask(rows.model_digest.notna()))
    held = [column for column in COLUMNS if column in rows]
    return rows.assign(**{column: rows[column].astype(object).replace(MISSING) for column in held})


def by_origin(
    rows: pd.DataFrame, evaluation: str = "", together: Sequence[str] = ()
) -> Iterator[tuple[Origin, pd.DataFrame]]:
    """Yields the rows of each origin.

    Args:
        rows: of a report table.
        evaluation: the kind of evaluation that wrote them, where no column says so.
        together: fields that are not to tell origins apart; they are left empty.
    """
    for values, own in grouped(with_origins(rows), [column for column in COLUMNS if column not in together]):
        yield Origin(**{"evaluation": evaluation, **values}), own


class Names:
    """The words by which origins are told apart, the shortest that do: a digest is shown where its name has several."""

    def __init__(self, origins: Iterable[Origin]) -> None:
        """Takes all origins that are shown beside each other."""
        every = list(dict.fromkeys(origins))
        self._models = _ambiguous((origin.model, origin.model_digest) for origin in every)
        self._datasets = _ambiguous((_versioned(origin), origin.dataset_digest) for origin in every)
        # What these leave alike is told apart by the protocol's digest, else by the evaluation's version.
        self._protocols = _ambiguous((self._key(origin), origin.protocol_digest) for origin in every)
        self._versions = _ambiguous(
            ((*self._key(origin), origin.protocol_digest), origin.evaluation_version) for origin in every
        )
        self._problems = _ambiguous(
            ((*self._key(origin), origin.protocol_digest, origin.seed), origin.problems_digest) for origin in every
        )
        self._runs = {origin.run for origin in every} - {None}

    def words(self, origin: Origin) -> dict[str, str]:
        """Returns the words of `WORDS`; empty where there is nothing to say."""
        key = self._key(origin)
        versions = (*key, origin.protocol_digest) in self._versions
        several = (*key, origin.protocol_digest, origin.seed) in self._problems
        return {
            "model": self.model(origin),
            "dataset": self.dataset(origin),
            "protocol": _with(origin.protocol, origin.protocol_digest if key in self._protocols else None),
            "version": f"version {origin.evaluation_version or 'unknown'}" if versions else "",
            "problems": f"problems {(origin.problems_digest or 'unknown')[:SHORT]}" if several else "",
            "seed": "" if origin.seed is None else f"seed {origin.seed}",
            "run": f"run {origin.run}" if origin.run and len(self._runs) > 1 else "",
        }

    def model(self, origin: Origin) -> str:
        """Returns the model's name, with its digest where other weights have the same."""
        return _with(origin.model, origin.model_digest if origin.model in self._models else None)

    def dataset(self, origin: Origin) -> str:
        """Returns the dataset's name with its version, and the digest where another one is called so too."""
        name = _versioned(origin)
        return f"{name} ({origin.dataset_digest[:SHORT]})" if origin.dataset_digest and name in self._datasets else name

    def _key(self, origin: Origin) -> tuple[str, ...]:
        return self.model(origin), self.dataset(origin), origin.protocol, origin.evaluation


def differing(words: Sequence[dict[str, str]]) -> list[str]:
    """Returns which of the words are not the same for all."""
    return [word for word in WORDS if len({own[word] for own in words}) > 1]


def told_apart(origins: Sequence[Origin], names: Names) -> list[list[str]]:
    """Returns for each origin the words that tell it from the others, e.g. m1, unseen episodes; none for one alone."""
    words = [names.words(origin) for origin in origins]
    shown = differing(words)
    splits = len({origin.split for origin in origins}) > 1
    return [
        [own[word] for word in shown if own[word]] + [f"{origin.split} episodes"] * splits
        for origin, own in zip(origins, words, strict=True)
    ]


def _ambiguous(pairs: Iterable[tuple[Any, Any]]) -> set[Any]:
    """Returns the names that stand for several things."""
    found: dict[Any, set[Any]] = {}
    for name, thing in pairs:
        found.setdefault(name, set()).add(thing)
    return {name for name, things in found.items() if len(things) > 1}


def _versioned(origin: Origin) -> str:
    return origin.dataset if origin.dataset_version is None else f"{origin.dataset}@{origin.dataset_version}"


def _with(name: str, digest: str | None) -> str:
    return f"{name}@{digest[:SHORT]}" if digest else name
