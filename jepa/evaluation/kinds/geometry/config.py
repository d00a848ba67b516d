"""What the evaluation `geometry` is asked to do: how many episodes, pairs and paths are looked at."""

from pydantic import Field, PositiveFloat, PositiveInt

from jepa.core.config import Config


class GeometryConfig(Config):
    """How much is looked at."""

    episodes: PositiveInt = 200
    """episodes of each held-out split"""
    pairs: int = Field(200, gt=0, le=1_000_000)
    """most pairs of frames of each episode"""
    path_steps: PositiveInt = 25
    """environment steps of a path; each episode is cut into as many as it has"""
    bins: int = Field(12, gt=1, le=1000)
    """points of a curve, of equal width in distance"""
    matching_bins: int = Field(40, gt=1, le=10_000)
    """classes of equal true distance within which pairs across a wall are compared with others"""
    detour: PositiveFloat = 0.05
    """share by which the shortest way of a pair across a wall is longer than the straight one, at least"""
    blocks: PositiveInt = 20
    """most blocks of episodes that are left out in turn for an interval"""
