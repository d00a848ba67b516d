"""What a look for orphans finds, and what it could not look at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, NamedTuple

from flows.runs.orphans.lives import Life
from jepa.core.config import Config

Kind = Literal["ray session", "process", "ray job", "flow run", "record"]


class Orphan(Config):
    """Something that was left."""

    kind: Kind
    name: str
    why: str
    done: str = ""
    """what was done about it; empty where it was only looked for"""


class Found(NamedTuple):
    """An orphan, what ends it and says how, and the id of the record that it was found by, if by one."""

    orphan: Orphan
    end: Callable[[], str]
    record: str = ""


@dataclass
class Look:
    """The processes to go by, and what a look leaves open."""

    lives: list[Life]
    silent_after: timedelta
    """age of a heartbeat from which on a process on another machine counts as dead"""
    left_out: list[str] = field(default_factory=list)
    """sentences about what could not be looked at, or not be ended"""
    unfinished: set[str] = field(default_factory=set)
    """ids of the records that something of this belongs to"""

    @property
    def ended(self) -> list[Life]:
        """The processes that have ended."""
        return [life for life in self.lives if life.ended]

    def leave(self, sentence: str, *lives: Life) -> None:
        """Notes what was not looked at, and of whose it is, for the next look."""
        self.left_out.append(sentence)
        self.unfinished |= {life.record.id for life in lives}
