"""What a report is asked to show."""

from pydantic import Field, PositiveInt

from jepa.core.config import Config


class ReportConfig(Config):
    """What to report on, and how much of it to show."""

    run: str = ""
    """Name of the run; empty takes the one that was evaluated last."""
    compare: tuple[str, ...] = ()
    """Instead of a run: models to hold against each other, as `jepa compare` takes them; the first is what the others
    differ from."""
    leaderboard: bool = False
    """Instead of a run: all models and planners of the store, as a page and as a Parquet file."""
    episodes: PositiveInt = 4
    """Film strips of held-out episodes."""
    frames: PositiveInt = 9
    """Frames in a film strip."""
    paths: PositiveInt = 4
    """Scenes of goals reached, and as many of goals missed."""
    points: int = Field(500, ge=10)
    """Dots in a scatter plot."""
