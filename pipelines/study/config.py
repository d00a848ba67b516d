"""What a study is asked to do: which study, on which grid, by how many workers."""

from typing import Annotated, Any

from pydantic import Field, PositiveFloat, field_validator, model_validator

from jepa.core.config import Config
from jepa.core.registries.choices import Choices
from jepa.studies import STUDIES
from jepa.studies.grid import written_out
from pipelines.executor import Executor
from pipelines.executor.defaults import one_local_worker


class StudyChoices(Config):
    """All but the name of the study."""

    preset: str = "tiny"
    """Grid by name: `tiny` ends within minutes on two cores, `paper` is the whole one."""
    grid: tuple[dict[str, Any], ...] | None = None
    """Blocks of one's own in the place of the preset's: a list is varied, anything else is fixed."""
    world: str | None = None
    """World of all cells, in a study whose cells have one; the same as `cell` world=…"""
    cell: dict[str, Any] = Field(default_factory=dict)
    """Fields of all cells, in the place of what the grid says: steps=500, or seed=[0, 1, 2] to vary it."""
    run: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    """Name under which the cells are collected; by default study and preset, with a digest for any other grid."""
    force: bool = False
    """Do again what is done already, and put it in the place of what is there."""
    workers: int = Field(2, gt=0, le=4096)
    """Cells that are worked on at once; by default 1 where `executor` is `local`."""
    executor: Executor = "ray"
    """`ray` runs cells in actors of the cluster, `local` in this process, or in several of this machine."""
    cpus: PositiveFloat = 1.0
    """Cores that Ray reserves for each worker."""

    @model_validator(mode="before")
    @classmethod
    def _one_local_worker(cls, value: Any) -> Any:
        return one_local_worker(value)

    @field_validator("grid", "cell")
    @classmethod
    def _values_are_json(cls, value: Any) -> Any:
        """Writes ranges and tuples out as the lists that they stand for, for the plan of the run keeps them."""
        if isinstance(value, tuple):
            return tuple(written_out(block) for block in value)
        return value if value is None else written_out(value)

    @model_validator(mode="after")
    def _world_is_given_once(self) -> "StudyChoices":
        if self.world is not None and "world" in self.cell:
            raise ValueError("the world is given twice, as world and in cell; leave one out")
        return self

    @property
    def fixed(self) -> dict[str, Any]:
        """Returns the fields that all cells get."""
        return self.cell | ({} if self.world is None else {"world": self.world})

    @property
    def named_grid(self) -> str | None:
        """Returns the preset's name where its grid is taken as it is, None for any other grid."""
        return self.preset if self.grid is None and not self.fixed else None


class StudyConfig(StudyChoices):
    """A study."""

    study: Annotated[str, Choices(STUDIES.names, others="one of yours")] = Field(min_length=1)
    """Registered name of the study."""
