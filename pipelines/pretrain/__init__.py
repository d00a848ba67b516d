"""Pretraining jobs: one process or many, from a dataset to a model in the store."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.pretrain.config import PretrainConfig
    from pipelines.pretrain.imports.config import ImportLewmConfig
    from pipelines.pretrain.imports.job import export_weights, import_weights
    from pipelines.pretrain.job import pretrain
    from pipelines.pretrain.plan import check_training, plan_training
    from pipelines.pretrain.train import train_worker
    from pipelines.store.models.manifest import ModelManifest, find_model, read_model
    from pipelines.store.models.names import model_names

__all__ = [
    "ImportLewmConfig",
    "ModelManifest",
    "PretrainConfig",
    "check_training",
    "export_weights",
    "find_model",
    "import_weights",
    "model_names",
    "plan_training",
    "pretrain",
    "read_model",
    "train_worker",
]

offer_lazily(__name__)
