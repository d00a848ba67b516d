"""What a training is made from: what was asked for, and the versions that its words were resolved to."""

from typing import Any

from jepa.core.config import Config
from pipelines.store.references import DatasetRef, ModelRef


class Origin(Config):
    """Fixed by the driver before a training starts; the same in its claim, its checkpoints and its manifest."""

    request: dict[str, Any]
    """what was asked for, as given, without what changes nothing in what is learned"""
    dataset_ref: DatasetRef
    init_from: ModelRef | None = None
    """model whose weights the training starts from; none where they are drawn"""
