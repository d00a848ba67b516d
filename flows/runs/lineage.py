"""What a run made, for Prefect: an event that may start the next job, and an asset with what it was made from.

The store's manifests stay the truth: both are emitted after the commit, again by each run that finds the work done, and
a server that does not take them costs a warning and never the job.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

from prefect.assets import Asset, AssetProperties
from prefect.context import AssetContext, TaskRunContext
from prefect.events import emit_event
from prefect.states import Completed
from prefect.types.names import MAX_ASSET_KEY_LENGTH, RESTRICTED_ASSET_CHARACTERS

from infra.storage import Store
from jepa.core.config import digest_of
from pipelines.reports.page import ReportResult
from pipelines.store import DatasetManifest
from pipelines.store.models.manifest import ModelManifest
from pipelines.store.references import SHORT, DatasetRef, ModelRef
from pipelines.store.reports import units_of_run
from pipelines.store.sealed import sha256

DATASET_COMMITTED = "jepa.dataset.committed"
MODEL_COMMITTED = "jepa.model.committed"
REPORT_WRITTEN = "jepa.report.written"

P = ParamSpec("P")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Product:
    """Something in the store that a run made, and what it was made from."""

    event: str
    name: str
    reference: str
    """as people and configurations name it: `d0@2`, `m0@1a2b3c4d`; a report by its run"""
    digest: str
    """SHA-256 of the content"""
    key: str
    """of the asset: an address"""
    made_from: tuple[str, ...]
    """keys of other assets"""
    facts: dict[str, Any]
    """what an automation may need besides"""


def asset_key(address: str) -> str:
    """Returns an address as Prefect wants the key of an asset: a URI with few kinds of characters and not too long.

    Where something had to be changed, a digest of the address at the end keeps different addresses apart.
    """
    whole = address if "://" in address else f"file://{address}"
    key = "".join("_" if character in RESTRICTED_ASSET_CHARACTERS else character for character in whole)
    if key == whole and len(key) <= MAX_ASSET_KEY_LENGTH:
        return key
    mark = f"-{digest_of(address)[:SHORT]}"
    return key[: MAX_ASSET_KEY_LENGTH - len(mark)] + mark


def dataset_key(store: Store, reference: DatasetRef) -> str:
    """Returns the key of a dataset's version."""
    return asset_key(store.address(f"datasets/{reference}"))


def model_key(store: Store, reference: ModelRef) -> str:
    """Returns the key of a model's weights, which training that goes on gives another digest."""
    return asset_key(store.address(f"models/{reference}"))


def _harmless(record: Callable[P, None]) -> Callable[P, None]:
    """Makes a function do nothing outside of a task, and warn where it fails."""

    @wraps(record)
    def guarded(*arguments: P.args, **named: P.kwargs) -> None:
        if TaskRunContext.get() is None:
            return
        try:
            record(*arguments, **named)
        except Exception as error:
            log.warning("the run's events are not sent, so no automation follows from them: %s", error)

    return guarded


@_harmless
def record_dataset(manifest: DatasetManifest, store: Store) -> None:
    """Says that a version of a dataset is committed."""
    reference = manifest.reference
    facts = {"version": reference.version, "episodes": manifest.plan.episodes, "world": manifest.plan.world}
    key = dataset_key(store, reference)
    _emit(Product(DATASET_COMMITTED, reference.name, str(reference), reference.digest, key, (), facts), store)


@_harmless
def record_model(manifest: ModelManifest, store: Store) -> None:
    """Says that a model is committed, and which version of a dataset and which weights it was made from."""
    reference, dataset = manifest.reference, manifest.dataset_ref
    weights = [parent for parent in (manifest.init_from, manifest.continued_from) if parent]
    made_from = [dataset_key(store, dataset)] if dataset else []
    made_from += [model_key(store, parent) for parent in weights]
    facts = {"dataset": str(dataset or manifest.dataset), "steps": manifest.recipe.train.steps}
    key = model_key(store, reference)
    made = Product(MODEL_COMMITTED, reference.name, str(reference), reference.digest, key, tuple(made_from), facts)
    _emit(made, store)


@_harmless
def record_report(result: ReportResult, store: Store) -> None:
    """Says that a report is written, and which models and versions of datasets its rows are of."""
    units = [unit for unit in units_of_run(store, result.run) if unit.training_step is None]
    models = {ModelRef(name=unit.model, digest=unit.model_digest) for unit in units if unit.model_digest}
    datasets = {unit.dataset_reference for unit in units if unit.dataset_reference}
    made_from = {model_key(store, model) for model in models} | {dataset_key(store, one) for one in datasets}
    facts = {"address": result.address, "models": sorted(map(str, models)), "datasets": sorted(map(str, datasets))}
    digest, key = sha256(store.read(result.path)), asset_key(result.address)
    _emit(Product(REPORT_WRITTEN, result.run, result.run, digest, key, tuple(sorted(made_from)), facts), store)


def _emit(made: Product, store: Store) -> None:
    """Sends the event and the asset; Prefect adds the run, its flow, deployment and tags to both."""
    payload = {"name": made.name, "reference": made.reference, "digest": made.digest, "store": store.uri} | made.facts
    emit_event(
        made.event,
        resource={"prefect.resource.id": made.key, "prefect.resource.name": made.reference},
        related=_as_related(made.made_from),
        payload=payload,
    )
    asset = Asset(key=made.key, properties=AssetProperties(name=made.reference))
    # What a task makes, such as a version, is known at its end only; the decorator `materialize` wants it before.
    AssetContext(
        downstream_assets={asset},
        direct_asset_dependencies={Asset(key=key) for key in made.made_from},
        materialization_metadata={made.key: payload},
    ).emit_events(Completed())


def _as_related(keys: Iterable[str]) -> list[dict[str, str]]:
    return [{"prefect.resource.id": key, "prefect.resource.role": "asset"} for key in keys]
