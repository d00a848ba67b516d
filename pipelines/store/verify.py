"""Verifies a whole store: all datasets, models and reports."""

from infra.storage import Store
from jepa.core.config import Config
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.integrity.verify import VerifyReport, verify
from pipelines.store.datasets.layout import FOLDER as DATASETS
from pipelines.store.models.layout import FOLDER as MODELS
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.models.verify import ModelReport, verify_model
from pipelines.store.references import NAME
from pipelines.store.reports.verify import ReportsReport, verify_reports


class StoreReport(Config):
    """What a verification of a store found."""

    datasets: tuple[VerifyReport, ...] = ()
    models: tuple[ModelReport, ...] = ()
    reports: ReportsReport | None = None
    unknown: tuple[str, ...] = ()
    """sentences about files of which no digest says whether they are as they were written"""

    @property
    def ok(self) -> bool:
        """Whether every byte whose digest is known is as it was written."""
        good = [report.ok for report in self.datasets] + [report.ok for report in self.models]
        return all(good) and (self.reports is None or self.reports.ok)


def verify_store(store: Store) -> StoreReport:
    """Reads every file of a store and compares every digest.

    Raises:
        InfraError: the store cannot be read.
    """
    committed: list[str] = []
    under_way: list[str] = []
    for name in folders(store, DATASETS):
        there = any(path.endswith(("/manifest.json", "/digests.json")) for path in store.list(f"{DATASETS}/{name}/"))
        (committed if there else under_way).append(name)
    return StoreReport(
        datasets=tuple(verify(DatasetHandle(store, name)) for name in committed),
        models=tuple(verify_model(ModelHandle(store, name)) for name in folders(store, MODELS)),
        reports=verify_reports(store),
        unknown=tuple(f"dataset {name} is not committed: it is being collected, or was cut off" for name in under_way),
    )


def verify_named(store: Store, name: str, version: int | None = None) -> StoreReport:
    """Verifies the dataset and the model of a name.

    Raises:
        InputError: there is none of that name, or no such version of the dataset.
        InfraError: the store cannot be read.
    """
    models = (verify_model(ModelHandle(store, name)),) if name in folders(store, MODELS) else ()
    if models and name not in folders(store, DATASETS) and version is None:
        return StoreReport(models=models)
    return StoreReport(datasets=(verify(DatasetHandle(store, name), version),), models=models)


def folders(store: Store, root: str) -> list[str]:
    """Returns the names of all datasets or models that a store holds anything of."""
    names = {path.split("/")[1] for path in store.list(f"{root}/") if path.count("/") > 1}
    return sorted(name for name in names if NAME.fullmatch(name))
