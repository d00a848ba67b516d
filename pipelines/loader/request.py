"""What is asked of a loader: which clips, in batches of which size, for which of the training processes."""

from dataclasses import dataclass, field

from jepa.core.episodes import check_frameskip
from jepa.core.errors import InputError
from pipelines.loader.config import LoaderConfig
from pipelines.store.datasets.dataset import Dataset


@dataclass(frozen=True)
class ClipShape:
    """How many frames a clip has and how far apart they are, and which of an episode's stored rows it takes."""

    frames: int
    """T"""
    frameskip: int
    """K, environment steps from one of its frames to the next; a multiple of N"""
    frame_every: int = 1
    """N, environment steps from one stored frame to the next"""

    @property
    def environment_steps(self) -> int:
        """Returns the environment steps from the first frame to the last, (T-1)·K."""
        return (self.frames - 1) * self.frameskip

    @property
    def reach(self) -> int:
        """Returns how many stored frames after its first one a clip's last one lies, (T-1)·K/N."""
        return self.environment_steps // self.frame_every

    def frames_from(self, start: int) -> range:
        """Returns the stored frames of the clip that begins at one of them."""
        return range(start, start + self.reach + 1, self.frameskip // self.frame_every)

    def actions_from(self, start: int) -> slice:
        """Returns the rows of actions of the clip that begins at a stored frame."""
        first = start * self.frame_every
        return slice(first, first + self.environment_steps)

    def states_from(self, start: int) -> slice:
        """Returns the rows of states of the clip that begins at a stored frame."""
        first = start * self.frame_every
        return slice(first, first + self.environment_steps + 1, self.frameskip)


@dataclass(frozen=True, kw_only=True)
class ClipRequest:
    """Which clips a loader returns; every kind of loader is made from one of these and nothing else.

    A batch of `jepa.core.clips.Clips` has pixels uint8 (b, T, H, W, 3), action float32 (b, T-1, K, A) and state float32
    (b, T, d) by quantity, where b is this worker's share of the B clips of the global batch.

    Raises:
        InputError: a number is out of range, or the dataset has no frames so many steps apart.
    """

    dataset: Dataset
    """where the clips come from"""
    split: str = "train"
    """the only split whose clips are returned"""
    history: int
    """frames of a clip that the model looks back on, the present one included"""
    horizon: int
    """the prediction horizon: frames of a clip after those; T = history + horizon"""
    frameskip: int
    """K, environment steps from one frame of a clip to the next; the K actions between them are one action block"""
    batch_size: int
    """B, clips of the global batch, which all workers share"""
    seed: int
    """of the schedule"""
    rank: int = 0
    """this worker's number, 0 … world_size-1"""
    world_size: int = 1
    """how many workers share each batch"""
    config: LoaderConfig = field(default_factory=LoaderConfig)
    """which kind of loader, and how it reads"""

    def __post_init__(self) -> None:
        for name, least in (("history", 1), ("horizon", 0), ("frameskip", 1), ("batch_size", 1), ("world_size", 1)):
            value = getattr(self, name)
            if value < least:
                raise InputError(f"{name} {value} is too small; take {least} or more")
        if not 0 <= self.rank < self.world_size:
            raise InputError(
                f"rank {self.rank} is not that of one of {self.world_size} workers; take 0 to {self.world_size - 1}"
            )
        check_frameskip(self.frameskip, self.dataset.frame_every, f"dataset {self.dataset.name!r}")

    @property
    def clip_shape(self) -> ClipShape:
        """Returns T and K."""
        return ClipShape(self.history + self.horizon, self.frameskip, self.dataset.frame_every)

    @property
    def slots(self) -> range:
        """Returns the slots of the global batch that this worker fills; shares differ by one clip at most."""
        start, stop = (number * self.batch_size // self.world_size for number in (self.rank, self.rank + 1))
        return range(start, stop)

    def check_no_worker_is_idle(self) -> None:
        """Passes where every worker gets a clip of each batch.

        Raises:
            InputError: one gets none.
        """
        if self.batch_size < self.world_size:
            raise InputError(f"batch_size {self.batch_size} is less than workers {self.world_size}; take fewer workers")

    def check_shares_are_equal(self) -> None:
        """Passes where all workers get equally many clips of each batch.

        Raises:
            InputError: the batch cannot be divided so.
        """
        if self.batch_size % self.world_size:
            raise InputError(
                f"batch_size {self.batch_size} cannot be shared by {self.world_size} workers; "
                f"take a multiple of {self.world_size}"
            )

    def check_batch_is_filled(self, clips: int) -> None:
        """Passes where a split with so many clips fills a batch.

        Raises:
            InputError: it does not.
        """
        if clips < self.batch_size:
            raise InputError(
                f"split {self.split!r} of dataset {self.dataset.name!r} has {clips} clips of "
                f"{self.clip_shape.reach + 1} frames, too few for one batch of {self.batch_size}; "
                "collect more episodes, or take a smaller batch_size, horizon or frameskip"
            )
