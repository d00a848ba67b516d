"""Training and judging world models on episodes held in memory, with no store and no loader."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from jepa.studies.in_memory.clips import ClipSampler
    from jepa.studies.in_memory.episodes import Collection, MemoryEpisodes, collected
    from jepa.studies.in_memory.latents import LatentFigures, latent_figures
    from jepa.studies.in_memory.training import Trained, new_model, steps_within, train
    from jepa.studies.in_memory.views import judged_on

__all__ = [
    "ClipSampler",
    "Collection",
    "LatentFigures",
    "MemoryEpisodes",
    "Trained",
    "collected",
    "judged_on",
    "latent_figures",
    "new_model",
    "steps_within",
    "train",
]

offer_lazily(__name__)
