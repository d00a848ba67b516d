"""Evaluation: what a model encodes, how well it plans, what surprises it; importing this fills the registry."""

from jepa.evaluation.decoding import DecodingConfig, DecodingEvaluation
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, Row
from jepa.evaluation.latent import LatentEvaluation
from jepa.evaluation.planning import PlanningConfig, PlanningEvaluation
from jepa.evaluation.probes import ProbeConfig
from jepa.evaluation.probing import ProbingConfig, ProbingEvaluation
from jepa.evaluation.protocol import PROTOCOLS, Protocol, evaluate, get_protocol
from jepa.evaluation.surprise import SurpriseConfig, SurpriseEvaluation

__all__ = [
    "EVALUATIONS",
    "PROTOCOLS",
    "DecodingConfig",
    "DecodingEvaluation",
    "Evaluation",
    "EvaluationResult",
    "LatentEvaluation",
    "PlanningConfig",
    "PlanningEvaluation",
    "ProbeConfig",
    "ProbingConfig",
    "ProbingEvaluation",
    "Protocol",
    "Row",
    "SurpriseConfig",
    "SurpriseEvaluation",
    "evaluate",
    "get_protocol",
]
