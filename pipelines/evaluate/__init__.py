"""Evaluation jobs: a model's figures on held-out episodes, as report tables."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.evaluate.config import EvaluateConfig
    from pipelines.evaluate.job import Evaluated, carry_out, evaluate
    from pipelines.evaluate.plan import EvaluationPlan, plan_evaluation
    from pipelines.evaluate.unit import EvaluationUnit, evaluate_unit

__all__ = [
    "EvaluateConfig",
    "Evaluated",
    "EvaluationPlan",
    "EvaluationUnit",
    "carry_out",
    "evaluate",
    "evaluate_unit",
    "plan_evaluation",
]

offer_lazily(__name__)
