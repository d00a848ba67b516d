"""What a fit of heads will do, resolved once: the model's weights, the dataset's version, a request for each head."""

from dataclasses import dataclass

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.planning.heads.registry import HEADS, head_config
from pipelines.device import torch_device
from pipelines.heads.config import FitHeadsConfig
from pipelines.heads.unit import HeadUnit
from pipelines.store import open_dataset, resolve_dataset
from pipelines.store.models.heads.manifest import HeadRequest
from pipelines.store.models.manifest import ModelHandle, resolve_model
from pipelines.store.models.origin import check_fit, trained_on
from pipelines.store.references import DatasetRef, ModelRef


@dataclass(frozen=True)
class HeadsPlan:
    """The heads that are asked for, and what they have in common."""

    config: FitHeadsConfig
    model: ModelRef
    dataset: DatasetRef
    units: tuple[HeadUnit, ...]

    def __repr__(self) -> str:
        return f"<plan to fit heads of {self.model} on {self.dataset}: {len(self.units)}>"


def plan_heads(config: FitHeadsConfig, store: Store) -> HeadsPlan:
    """Returns a unit of work for each head.

    Raises:
        InputError: the model or the dataset is missing, the two do not fit together, or an option is wrong.
    """
    model = resolve_model(store, config.model)
    manifest = ModelHandle(store, model.name).require(model.digest)
    reference = resolve_dataset(store, config.dataset) if config.dataset else trained_on(store, manifest)
    if reference is None:
        raise InputError(f"nothing says which version of a dataset model {model} was trained on; name one by dataset")
    dataset = open_dataset(store, reference)
    check_fit(manifest, dataset)
    if not dataset.count("train"):
        raise InputError(f"dataset {reference} has no 'train' episodes to fit heads on; collect more episodes")
    if config.executor == "local":
        torch_device(config.device)
    units = [
        HeadUnit(store.uri, _request(config, kind, model, reference), config.device, config.force)
        for kind in config.heads
    ]
    return HeadsPlan(config, model, reference, tuple(units))


def _request(config: FitHeadsConfig, kind: str, model: ModelRef, dataset: DatasetRef) -> HeadRequest:
    return HeadRequest(
        model=model,
        dataset=dataset,
        kind=kind,
        version=HEADS.get(kind).version,
        options=head_config(kind, config.options.get(kind, {})).model_dump(mode="json"),
        seed=config.seed,
    )
