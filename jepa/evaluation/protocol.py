"""Named, versioned evaluation set-ups: a figure without one cannot be compared with another.

A protocol is never changed once figures carry its name; a changed set-up gets the next version.
"""

from jepa.core.config import Config
from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.evaluation.decoding.evaluation import DecodingConfig
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult
from jepa.evaluation.latent.evaluation import LatentConfig
from jepa.evaluation.planning.evaluation import PlanningConfig
from jepa.evaluation.probing.evaluation import ProbingConfig
from jepa.evaluation.probing.probes import ProbeConfig
from jepa.evaluation.surprise.evaluation import SurpriseConfig
from jepa.models.world_model import WorldModel
from jepa.planning.planners.cem import LatentCEMConfig
from jepa.planning.planners.oracle import OracleConfig


class Protocol(Config):
    """A name with its version, and the configuration of every kind of evaluation."""

    name: str
    """what figures are filed under, with a version at its end"""
    probing: ProbingConfig = ProbingConfig()
    """frames and probes"""
    planning: PlanningConfig = PlanningConfig()
    """problems and planners"""
    surprise: SurpriseConfig = SurpriseConfig()
    """replayed episodes"""
    latent: LatentConfig = LatentConfig()
    """episodes whose latents are described"""
    decoding: DecodingConfig = DecodingConfig()
    """the decoder, and what is drawn with it"""

    def evaluation(self, kind: str) -> Evaluation:
        """Returns the evaluation of that kind under this protocol.

        Raises:
            InputError: there is no such kind.
        """
        return EVALUATIONS.get(kind)(getattr(self, kind), self.name)


TWO_ROOM = Protocol(name="two-room-v1")
"""LeWorldModel's goals and budget, 10 iterations, 100 problems for each kind of goal and split."""

LEWM = Protocol(
    name="lewm-v3",
    planning=PlanningConfig(
        problems=50, cem=LatentCEMConfig(iterations=30), oracle=OracleConfig(iterations=30, chunk=4800), frames_shown=6
    ),
)
"""The paper's planning (v3, App. D): goals 25 steps ahead, budget 50, 50 episodes, CEM 300 × 30, 5 blocks of 5."""

PUSHT_TINY = Protocol(
    name="pusht-tiny-v1",
    planning=PlanningConfig(
        problems=30, oracle=OracleConfig(samples=64, elites=8, iterations=8, init_std=0.4, chunk=64), frames_shown=6
    ),
    surprise=SurpriseConfig(episodes=40, batch=20),
)
"""As `two-room-v1`, for a world whose physics steps a few thousand times a second: an oracle of 12,800 steps a plan."""

TINY = Protocol(
    name="tiny-v1",
    probing=ProbingConfig(
        train_frames=400,
        validation_frames=100,
        test_frames=200,
        predictions=50,
        probe=ProbeConfig(hidden=32, steps=100),
    ),
    planning=PlanningConfig(
        problems=4,
        cem=LatentCEMConfig(samples=32, elites=4, iterations=2, chunk=32),
        oracle=OracleConfig(samples=32, elites=4, iterations=4, chunk=128),
        frames_shown=2,
        position_frames=200,
        position_probe=ProbeConfig(hidden=32, steps=50),
    ),
    surprise=SurpriseConfig(episodes=6, batch=6, frames_shown=1),
    latent=LatentConfig(episodes=6, resamples=20),
    decoding=DecodingConfig(
        side=32, train_frames=200, steps=60, batch_size=32, episodes=4, episodes_shown=1, horizon=3
    ),
)
"""Seconds on one core: for trying out that everything runs, not for figures."""

PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in (TWO_ROOM, LEWM, PUSHT_TINY, TINY)}


def get_protocol(name: str) -> Protocol:
    """Returns the protocol of that name.

    Raises:
        InputError: there is none; the message lists what there is.
    """
    if name not in PROTOCOLS:
        raise InputError(f"protocol {name!r} is not known; choose one of: {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def evaluate(
    kind: str, model: WorldModel, source: EpisodeSource, protocol: Protocol | str = TWO_ROOM, seed: int = 0
) -> EvaluationResult:
    """Returns the rows of all units of one kind of evaluation, run one after the other in this process.

    Args:
        kind: a registered kind: `probing`, `planning`, `surprise`, `latent` or `decoding`.
        model: the model to judge.
        source: the held episodes, e.g. a stored dataset.
        protocol: a protocol or its name.
        seed: of everything that the evaluation draws.

    Raises:
        InputError: an unknown name, or a source that this kind can do nothing with.
    """
    evaluation = (get_protocol(protocol) if isinstance(protocol, str) else protocol).evaluation(kind)
    result = EvaluationResult()
    for unit in evaluation.units(source):
        result.extend(evaluation.run(unit, model, source, seed))
    return result
