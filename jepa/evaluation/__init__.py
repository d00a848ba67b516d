"""Evaluation: what a model encodes, how well it plans, what surprises it; importing this fills the registry."""

from jepa.evaluation.decoding.evaluation import DecodingConfig, DecodingEvaluation
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, Row
from jepa.evaluation.latent.evaluation import LatentEvaluation
from jepa.evaluation.planning.evaluation import PlanningConfig, PlanningEvaluation
from jepa.evaluation.probing.evaluation import ProbingConfig, ProbingEvaluation
from jepa.evaluation.probing.probes import ProbeConfig
from jepa.evaluation.protocol import PROTOCOLS, Protocol, evaluate, get_protocol
from jepa.evaluation.surprise.evaluation import SurpriseConfig, SurpriseEvaluation

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
