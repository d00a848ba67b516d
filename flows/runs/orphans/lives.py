"""Whether the processes that a store knows still live."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from infra.processes.identity import is_running
from infra.work_log import ProcessRecord

State = Literal["living", "dead", "silent"]


@dataclass(frozen=True)
class Life:
    """A recorded process as it is now: `dead` was seen on this machine, `silent` is how it looks from another."""

    record: ProcessRecord
    state: State
    quiet: timedelta
    """time since its last heartbeat"""

    @property
    def here(self) -> bool:
        """Whether it ran on this machine, so that what it has started can be seen."""
        return is_running(self.record.process) is not None

    @property
    def ended(self) -> bool:
        """Whether nothing of it can be at work."""
        return self.state != "living"

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"{self.record.what} (process {self.record.process.pid} on {self.record.process.host})"

    @property
    def why(self) -> str:
        """Why it counts as ended."""
        if self.state == "silent":
            return f"{self.name} has been silent for {self.quiet.total_seconds() / 60:.0f} minutes"
        return f"{self.name} has ended"


def life_of(record: ProcessRecord, now: datetime, silent_after: timedelta) -> Life:
    """Returns whether a process lives: by its identity on this machine, elsewhere by its heartbeat."""
    running, quiet = is_running(record.process), now - record.heartbeat
    if running is None:
        return Life(record, "silent" if quiet > silent_after else "living", quiet)
    return Life(record, "living" if running else "dead", quiet)
