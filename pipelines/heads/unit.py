"""One head as a unit of work: a pure function of the frozen model, the train split, its options and the seed."""

import time
from dataclasses import dataclass
from functools import lru_cache

import torch

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes, encode_episodes
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.registry import HEADS, head_config
from pipelines.device import Device, torch_device
from pipelines.executor import beat
from pipelines.store import open_dataset
from pipelines.store.models.heads.handle import FitFacts, commit_head, read_head_manifest
from pipelines.store.models.heads.manifest import HeadManifest, HeadRequest
from pipelines.store.models.manifest import read_model
from pipelines.store.references import DatasetRef, ModelRef


@dataclass(frozen=True)
class HeadUnit:
    """What a worker gets."""

    store_uri: str
    request: HeadRequest
    device: Device = "auto"
    force: bool = False
    """fit it even if it is fitted already"""

    @property
    def key(self) -> str:
        """Returns the head's name, by which it is found again."""
        return self.request.name


def do_head(unit: HeadUnit) -> HeadManifest:
    """Fits a head and commits it; one that is committed is only returned, unless it is to be forced.

    Raises:
        InfraError: this code's kind of head has another version than where it was planned.
    """
    store, request = open_store(unit.store_uri), unit.request
    if not unit.force and (held := held_head(store, request)) is not None:
        return held
    if HEADS.get(request.kind).version != request.version:
        raise InfraError(
            f"head {request.kind!r} has version {request.version} where it was planned and "
            f"{HEADS.get(request.kind).version} here; run the same code on all machines"
        )
    config = head_config(request.kind, request.options)
    place = unit.store_uri, request.model, torch_device(unit.device)
    model, data = _model(*place), _latents(*place, request.dataset, config.frames)
    started = time.perf_counter()
    last: list[float] = []

    def fitted(step: int, loss: float) -> None:
        beat()
        if step > config.steps * 9 // 10:
            last.append(loss)

    dataset = open_dataset(store, request.dataset)
    head = fit_head(request.kind, config, model, data, dataset.quantities, request.seed, fitted, dataset.world)
    facts = FitFacts(
        episodes=len(data.steps_E),
        frames=len(data.seen_ND),
        loss=sum(last) / len(last),
        seconds=time.perf_counter() - started,
    )
    return commit_head(store, request, head, facts)


def held_head(store: Store, request: HeadRequest) -> HeadManifest | None:
    """Returns the head that is there already; one whose manifest is damaged counts as not fitted."""
    try:
        return read_head_manifest(store, request.model.name, request.name)
    except InfraError:
        return None


@lru_cache(maxsize=1)
def _model(store_uri: str, model: ModelRef, device: torch.device) -> WorldModel:
    """Returns the model on its device, read once by each worker."""
    return read_model(open_store(store_uri), model)[1].to(device)


@lru_cache(maxsize=1)
def _latents(store_uri: str, model: ModelRef, device: torch.device, dataset: DatasetRef, frames: int) -> LatentEpisodes:
    """Returns the latents that heads are fitted on, encoded once by each worker."""
    return encode_episodes(_model(store_uri, model, device), open_dataset(open_store(store_uri), dataset), frames)
