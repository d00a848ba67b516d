"""What the evaluation `surprise` is asked to do."""

from pydantic import Field, NonNegativeInt, PositiveInt

from jepa.core.config import Config


class SurpriseConfig(Config):
    """How many episodes are replayed, how far ahead is predicted, and when an alarm is raised."""

    episodes: PositiveInt = 100
    """episodes of each split"""
    batch: PositiveInt = 50
    """episodes that are replayed side by side"""
    frames_shown: NonNegativeInt = 2
    """episodes whose frames are kept for the report"""
    curve_episodes: NonNegativeInt = 25
    """episodes whose every frame has a row, for the curves of the report; the others have one at the event"""
    validation_episodes: PositiveInt = 100
    """most validation episodes that thresholds are set on"""
    false_alarm_rate: float = Field(0.01, gt=0, lt=1)
    """share of untouched frames at which an alarm may be raised"""
    alarm_frames: PositiveInt = 1
    """frames, from the one that is the first to show an event, in which an alarm counts as noticing it"""
    blocks_ahead: tuple[PositiveInt, ...] = Field((1, 4), min_length=1)
    """action blocks ahead at which frames are predicted; one block is always among them"""

    @property
    def horizons(self) -> tuple[int, ...]:
        """Returns the blocks ahead in ascending order, each once, beginning with one."""
        return tuple(sorted({1, *self.blocks_ahead}))
