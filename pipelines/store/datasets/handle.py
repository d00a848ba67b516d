"""The handle of a dataset: one object for (store, name), through which jobs resolve, open and find its versions."""

from dataclasses import dataclass

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.store.datasets.dataset import Dataset, dataset_names
from pipelines.store.datasets.layout import DatasetLayout
from pipelines.store.datasets.manifest import DatasetManifest, read_manifest
from pipelines.store.references import DatasetRef, split_dataset


@dataclass(frozen=True)
class DatasetHandle:
    """A dataset's name in a store, whether it is there or not."""

    store: Store
    name: str

    @property
    def layout(self) -> DatasetLayout:
        """Returns the paths of the dataset within its store."""
        return DatasetLayout(self.name)

    def manifest(self, version: int | None = None) -> DatasetManifest | None:
        """Returns the manifest of a version, by default the newest; None where there is none."""
        return read_manifest(self.store, self.name, version)

    def resolve(self, version: int | None = None) -> DatasetRef:
        """Returns the reference of a version, by default of the newest.

        Raises:
            InputError: there is no such dataset or version; the message lists those that there are.
        """
        manifest = self.manifest(version)
        if manifest is not None:
            return manifest.reference
        newest = self.manifest() if version is not None else None
        if newest is not None:
            raise InputError(f"dataset {self.name!r} has no version {version}; choose one from 1 to {newest.version}")
        known = ", ".join(dataset_names(self.store)) or "none yet"
        raise InputError(
            f"dataset {self.name!r} is not in store {self.store.uri!r}; collect it, or choose one of: {known}"
        )


def resolve_dataset(store: Store, text: str) -> DatasetRef:
    """Returns the reference that `d0@2` stands for, or `d0`: the newest version.

    Raises:
        InputError: there is no such dataset or version.
    """
    name, version = split_dataset(text)
    return DatasetHandle(store, name).resolve(version)


def open_dataset(store: Store, reference: DatasetRef) -> Dataset:
    """Returns the very version that a reference was resolved to.

    Raises:
        InfraError: it is gone, or another dataset has its name now.
    """
    manifest = read_manifest(store, reference.name, reference.version)
    if manifest is None:
        raise InfraError(f"dataset {reference} is gone from store {store.uri!r}; collect it again, or choose another")
    if manifest.reference.digest != reference.digest:
        raise InfraError(
            f"dataset {reference} in store {store.uri!r} is not the one that was meant (its content has another "
            "digest): it was removed and collected anew; take another name for other data"
        )
    return Dataset(store, reference.name, reference.version)
