"""Which evaluations of several models may be held against each other: those of one origin, and what else differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pipelines.reports.comparison.sides import Judged, Side
from pipelines.store.references import SHORT
from pipelines.store.reports.manifest import UnitManifest

NO_EVALUATIONS = frozenset({"training", "shifts"})
"""What units are of, too, and nobody compares."""


@dataclass(frozen=True, order=True)
class UnitOrigin:
    """What has to be the same of two units for their rows to be compared; the texts are of people, the rest decides."""

    dataset: str
    """digest of the version, or the name with the version where older code kept no digest"""
    protocol: str
    """digest of the settings"""
    version: int
    """of the evaluation"""
    problems: str
    """digest of the planning problems, nothing where there are none"""

    @classmethod
    def of(cls, unit: UnitManifest) -> "UnitOrigin":
        """Returns the origin of a unit; what older code did not write is empty and is the same only as itself."""
        return cls(
            dataset=unit.dataset_digest or unit.dataset_text,
            protocol=unit.protocol_digest or "",
            version=unit.evaluation_version or 0,
            problems=unit.problems_digest or "",
        )


@dataclass(frozen=True)
class KindMatch:
    """One kind of evaluation over all models that are compared."""

    kind: str
    models: tuple[Judged, ...]
    """of all sides"""

    @cached_property
    def origins(self) -> dict[str, dict[UnitOrigin, list[UnitManifest]]]:
        """The units of each model, by its text and their origin."""
        return {model.text: _by_origin(model, self.kind) for model in self.models}

    @property
    def lacking(self) -> list[str]:
        """The models that were not judged by this kind at all."""
        return [text for text, own in self.origins.items() if not own]

    @cached_property
    def common(self) -> list[UnitOrigin]:
        """The origins that all models have."""
        every = [set(own) for own in self.origins.values()]
        return sorted(set.intersection(*every)) if every else []

    def units(self, model: Judged) -> list[UnitManifest]:
        """Returns the units of a model whose origins all have."""
        return [unit for origin in self.common for unit in self.origins[model.text][origin]]

    def left_out(self) -> list[tuple[str, UnitManifest]]:
        """Returns a unit of each origin that not all models have, with its model's text."""
        return [
            (text, units[0])
            for text, own in self.origins.items()
            for origin, units in own.items()
            if origin not in self.common
        ]


def kinds_of(sides: Sequence[Side]) -> list[str]:
    """Returns the kinds of evaluation that any model was judged by, in order; rows of older code may be of any kind."""
    found = {
        kind for side in sides for model in side.models for unit in model.units for kind in unit.kinds or _named(unit)
    }
    return sorted(found - NO_EVALUATIONS)


def match(kind: str, sides: Sequence[Side]) -> KindMatch:
    """Returns a kind of evaluation over all models of all sides."""
    return KindMatch(kind, tuple(model for side in sides for model in side.models))


def differences(first: UnitManifest, second: UnitManifest) -> list[str]:
    """Returns what differs between two units' origins, in words, with both values."""
    pairs = {
        "dataset version": (_dataset(first), _dataset(second)),
        "protocol settings": (_short(first.protocol_digest), _short(second.protocol_digest)),
        "evaluation version": (str(first.evaluation_version or "unknown"), str(second.evaluation_version or "unknown")),
        "problems": (_short(first.problems_digest), _short(second.problems_digest)),
    }
    return [f"{name} ({one} and {other})" for name, (one, other) in pairs.items() if one != other]


def _by_origin(model: Judged, kind: str) -> dict[UnitOrigin, list[UnitManifest]]:
    found: dict[UnitOrigin, list[UnitManifest]] = {}
    for unit in model.units:
        if kind in (unit.kinds or _named(unit)):
            found.setdefault(UnitOrigin.of(unit), []).append(unit)
    return found


def _named(unit: UnitManifest) -> frozenset[str]:
    """Returns the kind that a unit's key begins with, where older code wrote no kinds."""
    return frozenset({unit.key.partition("-")[0]})


def _dataset(unit: UnitManifest) -> str:
    return f"{unit.dataset_text} {unit.dataset_digest[:SHORT]}" if unit.dataset_digest else unit.dataset_text


def _short(digest: str | None) -> str:
    return digest[:SHORT] if digest else "unknown"
