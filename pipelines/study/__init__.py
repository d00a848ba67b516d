"""Study jobs: the cells of a study's grid, as rows of its table, and what they say of its claims."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.study.config import StudyChoices, StudyConfig
    from pipelines.study.job import Studied, study
    from pipelines.study.plan import StudyPlan, plan_study
    from pipelines.study.unit import CellUnit, do_cell

__all__ = ["CellUnit", "Studied", "StudyChoices", "StudyConfig", "StudyPlan", "do_cell", "plan_study", "study"]

offer_lazily(__name__)
