"""Who trains under a model's name: of two trainings at once, one gets the name and the other says who holds it.

Each attempt writes a numbered claim, `models/<name>/claims/000001.json`, by the store's only atomic step: if it is
absent. The highest number holds the name. While its owner works, it writes the claim again every few seconds; at any
orderly end it clears the owner. A claim whose owner is dead is not changed but followed by the next number, for which
again only one writer succeeds. Whoever is followed has lost the name, and writes nothing more (`check_claim`).
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import ClassVar

from infra.errors import InfraError
from infra.processes.background import BackgroundThread
from infra.processes.identity import ProcessIdentity, is_running, this_process
from jepa.core.config import Config, to_json
from jepa.core.errors import InputError
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.models.origin import Origin
from pipelines.store.sealed import read_if_there, seal, unseal

HEARTBEAT_SECONDS = 5.0
"""Time between two times that an owner writes its claim again."""
STALE_SECONDS = 60.0
"""An owner on another machine that writes nothing for so long is dead."""
QUIET_SECONDS = 10.0
"""How long that is watched without a word."""
LONG_AGO = timedelta(minutes=15)
"""An older heartbeat is that of a dead owner: no clocks differ so much (S3 refuses requests by such a clock)."""
LOOK_SECONDS = 2.0
"""Time between two looks while watching."""

log = logging.getLogger(__name__)
_owners: set[str] = set()
"""Attempts of this process that are under way: one that left its claim behind is not, though the process runs."""


class ClaimLostError(InfraError):
    """Another training has taken the name over, since this one was taken for dead."""

    final: ClassVar[bool] = True


class Claim(Config):
    """One attempt at training under a name."""

    number: int
    owner: str | None
    """random, of the attempt that is under way; none when it has ended in order"""
    process: ProcessIdentity
    """the driver"""
    since: datetime
    heartbeat: datetime
    """when the owner last said that it is alive, by its own clock"""
    origin: Origin

    @property
    def holder(self) -> str:
        """Returns who holds it, for people."""
        return f"process {self.process.pid} on host {self.process.host!r} since {self.since:%Y-%m-%d %H:%M:%S} UTC"


class Lease:
    """A name that this process holds for the time of a block; a thread keeps saying so."""

    def __init__(self, model: ModelHandle, claim: Claim, before: Claim | None, warn: Callable[[str], None]) -> None:
        """Takes a claim that was just written, and the one that it follows."""
        self.before = before
        self._model, self._claim, self._warn = model, claim, warn
        self._lost = False
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = BackgroundThread(self._keep, "claim-heartbeat")

    @property
    def number(self) -> int:
        """Returns the claim's number."""
        return self._claim.number

    def lost(self) -> bool:
        """Returns whether another training has taken the name over; asks nobody."""
        return self._lost

    def record(self, origin: Origin) -> None:
        """Writes what the training is made from into the claim."""
        if origin != self._claim.origin:
            self._write(origin=origin)

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        try:
            if not self._lost:
                self._write(owner=None)
        except InfraError as failure:
            # This process knows that it has ended; others find out by its heartbeat.
            self._warn(f"the claim of model {self._model.name!r} was not given back ({failure})")
        finally:
            _owners.discard(self._claim.owner or "")

    def _keep(self) -> None:
        while not self._over.wait(HEARTBEAT_SECONDS):
            try:
                self._write()
            except Exception as error:  # the next one may succeed; without any the name passes for free
                log.debug("no heartbeat of model %s: %s", self._model.name, error)
            if self._lost:
                return

    def _write(self, **changes: object) -> None:
        with self._lock:
            # After the end, only that itself is written.
            if self._over.is_set() and not changes:
                return
            self._lost = self._lost or not _is_ours(self._model, self._claim)
            if not self._lost:
                changed = self._claim.model_copy(update={"heartbeat": datetime.now(UTC), **changes})
                self._model.store.write(self._model.layout.claim(self.number), seal(to_json(changed)))
                self._claim = changed.model_copy(update={"owner": self._claim.owner})


def claim_model(model: ModelHandle, origin: Origin, warn: Callable[[str], None] = log.warning) -> Lease:
    """Takes a model's name for a training; returns what is to be entered at once.

    Args:
        model: the name.
        origin: what is trained.
        warn: gets a sentence if it takes long to find out that the last owner is dead.

    Raises:
        InputError: another training holds the name, and lives.
        InfraError: the store cannot be used.
    """
    while True:
        held = newest_claim(model)
        if held is not None and not _is_free(model, held, warn):
            raise InputError(
                f"model {model.name!r} in {model.store.uri!r} is being trained by {held.holder}; "
                "wait for its end, or choose another name"
            )
        owner, now = uuid.uuid4().hex, datetime.now(UTC)
        claim = Claim(
            number=held.number + 1 if held else 1,
            owner=owner,
            process=this_process(),
            since=now,
            heartbeat=now,
            origin=origin,
        )
        _owners.add(owner)
        # A request that was repeated after a lost answer finds its own object.
        if model.store.write_if_absent(model.layout.claim(claim.number), seal(to_json(claim))) or _is_ours(
            model, claim
        ):
            return Lease(model, claim, held, warn)
        _owners.discard(owner)


def check_not_held(model: ModelHandle) -> None:
    """Passes unless a training that is known to live holds the name; for a check before any work.

    Raises:
        InputError: one does.
    """
    held = newest_claim(model)
    if held is not None and held.owner is not None and _is_alive(held):
        raise InputError(
            f"model {model.name!r} in {model.store.uri!r} is being trained by {held.holder}; "
            "wait for its end, or choose another name"
        )


def check_claim(model: ModelHandle, number: int | None) -> None:
    """Passes where a training still holds the name by its claim, or never claimed it; asked before it commits anything.

    Raises:
        ClaimLostError: another one has taken it over.
    """
    if number is not None and model.store.exists(model.layout.claim(number + 1)):
        newest = newest_claim(model)
        holder = f" by {newest.holder}" if newest else ""
        raise ClaimLostError(
            f"model {model.name!r} in {model.store.uri!r} was taken over{holder}, for this training gave no sign of "
            f"life for {STALE_SECONDS:.0f} s; it has stopped, and nothing of it was written since"
        )


def newest_claim(model: ModelHandle) -> Claim | None:
    """Returns the claim that holds the name, or held it last; None where nobody ever claimed it."""
    paths = model.store.list(model.layout.claims)
    return _read(model, int(paths[-1].removeprefix(model.layout.claims).removesuffix(".json"))) if paths else None


def parse_claim(data: bytes) -> Claim | None:
    """Returns the claim that a file holds, None where its bytes are not those that were written."""
    try:
        return Claim.model_validate_json(unseal(data))
    except ValueError:
        return None


def _read(model: ModelHandle, number: int) -> Claim | None:
    path = model.layout.claim(number)
    data = read_if_there(model.store, path)
    claim = None if data is None else parse_claim(data)
    if data is not None and claim is None:
        raise InfraError(f"{model.store.address(path)} is damaged, or not a claim that this version reads; delete it")
    return claim


def _is_ours(model: ModelHandle, claim: Claim) -> bool:
    held = _read(model, claim.number)
    followed = model.store.exists(model.layout.claim(claim.number + 1))
    return held is not None and held.owner == claim.owner and not followed


def _is_alive(held: Claim) -> bool | None:
    """Returns whether a claim's owner is at work; None where only its heartbeat can tell."""
    alive = is_running(held.process)
    return held.owner in _owners if alive and held.process == this_process() else alive


def _is_free(model: ModelHandle, held: Claim, warn: Callable[[str], None]) -> bool:
    if held.owner is None:
        return True
    alive = _is_alive(held)
    return not alive if alive is not None else _falls_silent(model, held, warn)


def _falls_silent(model: ModelHandle, held: Claim, warn: Callable[[str], None]) -> bool:
    """Watches an owner on another machine, by our clock alone, until it gives a sign of life or is dead."""
    if datetime.now(UTC) - held.heartbeat > LONG_AGO:
        return True
    began, said = time.monotonic(), False
    while (waited := time.monotonic() - began) < STALE_SECONDS:
        time.sleep(LOOK_SECONDS)
        newest = newest_claim(model)
        if newest is None or newest.owner is None:
            return True
        if (newest.number, newest.heartbeat) != (held.number, held.heartbeat):
            return False
        if waited > QUIET_SECONDS and not said:
            said = True
            warn(f"waiting for a sign of life of {held.holder}, who trains model {model.name!r}, or its silence")
    return True
