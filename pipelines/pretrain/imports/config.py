"""What `import-lewm` is asked to do; apart from what does it, so that it is read without torch."""

from typing import Any

from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from jepa.core.config import Config
from pipelines.store.references import DatasetText, ModelName

IMPORTED = "imported"
"""Key of an imported model's `request`: it was asked for by a file and not by a training."""


class ImportLewmConfig(Config):
    """A file with released weights and the model that it becomes, or the other way round."""

    file: str = Field(min_length=1)
    """state dict in the released layout: read from `.pt` or safetensors; with --export written, by its suffix"""
    name: ModelName = Field(min_length=1)
    """name of the model in the store"""
    export: bool = False
    """write the model of that name to the file, in the released layout"""
    dataset: DatasetText | None = Field(default=None, min_length=1)
    """dataset of the world that the model was trained on, which gives world and action statistics; needed to import"""
    action_mean: tuple[FiniteFloat, ...] = ()
    """mean of each action value in the data that the weights were trained on; by default the dataset's"""
    action_std: tuple[FiniteFloat, ...] = ()
    """standard deviation of the same"""
    frameskip: PositiveInt = 5
    """actions of an action block; the weights know only how many values it has"""
    prefix: str | None = None
    """how the names of the model's tensors begin, where the file holds several models; a plain state dict has ''"""
    head_size: PositiveInt = 64
    """size of an attention head in encoder and predictor, which the weights do not know"""

    @model_validator(mode="after")
    def _fields_go_together(self) -> "ImportLewmConfig":
        if not self.export and self.dataset is None:
            raise ValueError("dataset is missing; give --dataset, one of the world that the weights were trained on")
        if len(self.action_mean) != len(self.action_std):
            raise ValueError(
                f"action_mean has {len(self.action_mean)} values and action_std {len(self.action_std)}; "
                "give both, a value for each of an action's, or neither"
            )
        if any(value <= 0 for value in self.action_std):
            raise ValueError(f"action_std is {list(self.action_std)}; standard deviations are greater than 0")
        return self

    def request(self, digest: str) -> dict[str, Any]:
        """Returns what decides on the model that comes out, the file by its content."""
        # Models that were imported before there was a prefix were asked for without one.
        left_out = {"file", "name", "export"} | ({"prefix"} if self.prefix is None else set())
        return {IMPORTED: {"sha256": digest, **self.model_dump(mode="json", exclude=left_out)}}
