"""What a shifted unit is judged on: held-out episodes of a shifted dataset, beside all that models learned from.

Whatever an evaluation fits (probes, decoders, thresholds) it fits on the usual train and validation episodes; under the
shift it is judged alone.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.storage import Store
from jepa.core.episodes import Episode
from pipelines.store import Dataset, open_dataset
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.references import DatasetRef

HELD_OUT = ("test", "unseen")


@dataclass(frozen=True)
class UnitShift:
    """What is other in a unit's dataset, and the dataset that it is other than."""

    factor: str
    value: float
    usual: DatasetRef
    """whose episodes evaluations fit on"""

    def __str__(self) -> str:
        return f"{self.factor} {repr(self.value).removesuffix('.0')}"

    @property
    def identity(self) -> dict[str, Any]:
        """Returns what figures depend on, as a JSON document."""
        return {"factor": self.factor, "value": self.value, "usual": self.usual.model_dump()}


class ShiftedSource:
    """The usual dataset with the episodes of a shifted one in the place of its held-out ones; a `DirectSource`."""

    def __init__(self, usual: Dataset, shifted: Dataset) -> None:
        self._usual, self._shifted = usual, shifted
        self.name: str = shifted.name
        self.manifest: DatasetManifest = shifted.manifest
        self.world: str = shifted.world
        self.world_options: Mapping[str, object] = shifted.world_options
        self.action_size: int = shifted.action_size
        # What a shift adds to the state, such as a radius that is usually the same, is nothing to be fitted.
        self.quantities: Mapping[str, int] = {
            name: size for name, size in shifted.quantities.items() if name in usual.quantities
        }

    def count(self, split: str) -> int:
        """Returns how many episodes the split holds."""
        return self._of(split).count(split)

    def episodes(self, split: str, limit: int | None = None) -> Iterator[Episode]:
        """Yields the split's episodes in order of index, the first `limit` of them."""
        yield from self._of(split).episodes(split, limit)

    def episodes_at(self, split: str, indices: Collection[int]) -> Iterator[Episode]:
        """Yields the split's episodes of these indices in order of index."""
        yield from self._of(split).episodes_at(split, indices)

    def world_options_of(self, split: str) -> Mapping[str, object]:
        """Returns the options that the split's episodes were recorded under: the shifted ones of held-out splits."""
        return self._of(split).world_options

    def _of(self, split: str) -> Dataset:
        return self._shifted if split in HELD_OUT else self._usual


Judged = Dataset | ShiftedSource
"""What a unit is judged on."""


def open_judged(store: Store, dataset: DatasetRef, shift: UnitShift | None) -> Judged:
    """Returns what a unit is judged on, of the very versions that it names; raises as `open_dataset` does."""
    held = open_dataset(store, dataset)
    return held if shift is None else ShiftedSource(open_dataset(store, shift.usual), held)
