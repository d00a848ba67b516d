"""What a report is asked to show."""

from pydantic import Field, PositiveInt

from jepa.core.config import Config


class ReportConfig(Config):
    """What to report on, and how much of it to show."""

    run: str = ""
    """Name of the run; empty takes the one that was evaluated last."""
    episodes: PositiveInt = 4
    """Film strips of held-out episodes."""
    frames: PositiveInt = 9
    """Frames in a film strip."""
    paths: PositiveInt = 4
    """Scenes of goals reached, and as many of goals missed."""
    points: int = Field(500, ge=10)
    """Dots in a scatter plot."""
