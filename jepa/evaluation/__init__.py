"""Evaluation: what a model encodes, how well it plans, what surprises it; every kind under a name."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, Row
    from jepa.evaluation.kinds.decoding.evaluation import DecodingConfig, DecodingEvaluation
    from jepa.evaluation.kinds.geometry.config import GeometryConfig
    from jepa.evaluation.kinds.geometry.evaluation import GeometryEvaluation
    from jepa.evaluation.kinds.identifiability.evaluation import IdentifiabilityConfig, IdentifiabilityEvaluation
    from jepa.evaluation.kinds.latent.evaluation import LatentEvaluation
    from jepa.evaluation.kinds.planning.config import PlanningConfig
    from jepa.evaluation.kinds.planning.evaluation import PlanningEvaluation
    from jepa.evaluation.kinds.probing.config import ProbingConfig
    from jepa.evaluation.kinds.probing.evaluation import ProbingEvaluation
    from jepa.evaluation.kinds.probing.probes import ProbeConfig
    from jepa.evaluation.kinds.regret_decomposition.config import RegretDecompositionConfig
    from jepa.evaluation.kinds.regret_decomposition.evaluation import RegretDecompositionEvaluation
    from jepa.evaluation.kinds.spectrum.config import SpectrumConfig
    from jepa.evaluation.kinds.spectrum.evaluation import SpectrumEvaluation
    from jepa.evaluation.kinds.surprise.evaluation import SurpriseConfig, SurpriseEvaluation
    from jepa.evaluation.protocol import Protocol, evaluate, get_protocol, protocol_names

__all__ = [
    "EVALUATIONS",
    "DecodingConfig",
    "DecodingEvaluation",
    "Evaluation",
    "EvaluationResult",
    "GeometryConfig",
    "GeometryEvaluation",
    "IdentifiabilityConfig",
    "IdentifiabilityEvaluation",
    "LatentEvaluation",
    "PlanningConfig",
    "PlanningEvaluation",
    "ProbeConfig",
    "ProbingConfig",
    "ProbingEvaluation",
    "Protocol",
    "RegretDecompositionConfig",
    "RegretDecompositionEvaluation",
    "Row",
    "SpectrumConfig",
    "SpectrumEvaluation",
    "SurpriseConfig",
    "SurpriseEvaluation",
    "evaluate",
    "get_protocol",
    "protocol_names",
]

offer_lazily(__name__)
