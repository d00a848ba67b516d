"""Evaluation jobs: a model's figures on held-out episodes, as report tables."""

from pipelines.evaluate.config import EvaluateConfig
from pipelines.evaluate.job import evaluate, plan_units
from pipelines.evaluate.unit import EvaluationUnit, evaluate_unit

__all__ = ["EvaluateConfig", "EvaluationUnit", "evaluate", "evaluate_unit", "plan_units"]
