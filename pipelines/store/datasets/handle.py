"""The handle of a dataset: one object for (store, name), through which jobs find, resolve and address its versions."""

from dataclasses import dataclass

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.store.datasets.integrity.digests import find_manifest, newest_manifest, repair_remedy
from pipelines.store.datasets.layout import FOLDER, DatasetLayout
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.references import DatasetRef, check_name, split_dataset
from pipelines.store.sealed import read_if_there, sha256


@dataclass(frozen=True)
class DatasetHandle:
    """A dataset's name in a store, whether it is there or not; small, and travels to workers."""

    store: Store
    name: str

    def __post_init__(self) -> None:
        check_name("dataset", self.name)

    @property
    def layout(self) -> DatasetLayout:
        """Returns the paths of the dataset within its store."""
        return DatasetLayout(self.name)

    @property
    def address(self) -> str:
        """Returns where the dataset is, for people."""
        return self.store.address(self.layout.root)

    def manifest(self, version: int | None = None) -> DatasetManifest | None:
        """Returns the manifest of a version, by default the newest, checked by its digest; None where there is none.

        Raises:
            InfraError: it is lost or damaged, or no manifest that this version of the code reads.
        """
        if version is not None:
            return find_manifest(self.store, self.layout, version)
        return newest_manifest(self.store, self.layout)

    def require(self, version: int | None = None) -> DatasetManifest:
        """Returns the manifest of a version, by default of the newest.

        Raises:
            InputError: there is no such dataset or version; the message lists those that there are.
            InfraError: it is lost or damaged, or no manifest that this version of the code reads.
        """
        manifest = self.manifest(version)
        if manifest is not None:
            return manifest
        newest = self.manifest() if version is not None else None
        if newest is not None:
            raise InputError(f"dataset {self.name!r} has no version {version}; choose one from 1 to {newest.version}")
        known = ", ".join(dataset_names(self.store)) or "none yet"
        raise InputError(
            f"dataset {self.name!r} is not in store {self.store.uri!r}; collect it, or choose one of: {known}"
        )

    def resolve(self, version: int | None = None) -> DatasetRef:
        """Returns the reference of a version, by default of the newest; raises as `require` does."""
        return self.require(version).reference

    def card(self, version: int | None = None) -> str | None:
        """Returns a version's card as Markdown, by default the newest's; None where there is none.

        Raises:
            InfraError: it is lost or damaged.
        """
        manifest = self.manifest(version)
        if manifest is None:
            return None
        path, digest = self.layout.version(manifest.version, "card.md"), manifest.files.get("card.md")
        data = read_if_there(self.store, path)
        if digest is not None and (data is None or sha256(data) != digest):
            wrong = "lost" if data is None else "damaged"
            raise InfraError(f"{self.store.address(path)} is {wrong}; {repair_remedy(self.layout)}")
        return None if data is None else data.decode("utf-8", errors="replace")


def resolve_dataset(store: Store, text: str) -> DatasetRef:
    """Returns the reference that `d0@2` stands for, or `d0`: the newest version.

    Raises:
        InputError: there is no such dataset or version.
    """
    name, version = split_dataset(text)
    return DatasetHandle(store, name).resolve(version)


def dataset_names(store: Store) -> list[str]:
    """Returns the names of all committed datasets of a store, also of those whose copy of the manifest is lost."""
    paths = [path.split("/") for path in store.list(f"{FOLDER}/")]
    manifests = [parts for parts in paths if parts[-1] == "manifest.json"]
    return sorted({parts[1] for parts in manifests if len(parts) == 3 or (len(parts) == 5 and parts[2] == "versions")})
