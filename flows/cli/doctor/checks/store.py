"""The store: each operation that the jobs stand on, tried on one object that is removed again, and its clock."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flows.cli.doctor.findings import Asked, Report, Step
from infra.errors import InfraError
from infra.storage import TEMPORARY, Store, open_store

DATA = b"jepa doctor"
HONOUR = "use a server that honours them, such as AWS S3, MinIO, Ceph or moto"
CLOCK_WARNING, CLOCK_FAILED = 5.0, 60.0
"""Seconds by which clocks may differ; a job whose sign of life is a minute old counts as lost."""
WRITTEN = ("read", "conditional write", "range read", "listing", "clock", "delete")
"""Steps that need an object."""


def check(asked: Asked, report: Report) -> None:
    """Tries the operations in turn; what fails keeps those that need it from being tried."""
    place: Store | None = None
    with report.step("address") as step:
        store = open_store(asked.store)
        # Less than a step has, so that the store itself says what it waited for.
        place = store.for_probes(0.6 * asked.seconds)
        # In a folder of its own, for a listing of a folder reads all that is below it.
        name = f"{TEMPORARY}check-{uuid.uuid4().hex}/{TEMPORARY}object"
        place.exists(name)
        step.ok(store.uri if place.uri == store.uri else f"{store.uri} (not there yet; its parent is checked)")
    if place is None or not step.passed:
        report.skip("the store cannot be reached", "write", *WRITTEN)
        return
    with _removed(place, name):
        _write(place, name, report)


def _write(place: Store, name: str, report: Report) -> None:
    with report.step("write") as step:
        began, before = time.monotonic(), time.time()
        # A request that was repeated after a lost answer finds its own object.
        if not place.write_if_absent(name, DATA) and place.read(name) != DATA:
            raise InfraError("a new object could not be written; see the log of the store's server")
        after = time.time()
        step.ok(f"{len(DATA)} bytes in {_milliseconds(began)}")
    if not step.passed:
        report.skip("nothing can be written", *WRITTEN)
        return
    with report.step("read") as step:
        began = time.monotonic()
        if place.read(name) == DATA:
            step.ok(f"the same bytes in {_milliseconds(began)}")
        else:
            step.failed("other bytes come back than were written", "do not use this store: it damages what it holds")
    with report.step("conditional write") as step:
        _conditional(place, name, step)
    with report.step("range read") as step:
        if place.read_range(name, 5, 6) == DATA[5:]:
            step.ok("the bytes asked for, and no more")
        else:
            step.failed("ignored: chunks are read by ranges", HONOUR)
    with report.step("listing") as step:
        listed = place.written(name)
        if name in listed:
            step.ok("a new object is listed at once")
        else:
            step.failed(
                "a new object is not listed", "use a store whose listings are consistent, as those of AWS S3 are"
            )
    with report.step("clock") as step:
        if name in listed:
            _clock(_outside(listed[name].timestamp(), before, after), step)
        else:
            step.skipped("no time without a listing")
    with report.step("delete") as step:
        place.delete(name)
        if place.exists(name):
            step.failed("a deleted object is still there", "allow s3:DeleteObject, or see whether the bucket is locked")
        else:
            step.ok("gone at once")


def _conditional(place: Store, name: str, step: Step) -> None:
    if place.write_if_absent(name, b"overwritten") or place.read(name) != DATA:
        place.write(name, DATA)
        step.failed("ignored (If-None-Match): two jobs could commit one dataset, each over the other", HONOUR)
    else:
        step.ok("an object that is there is kept")


def _outside(moment: float, before: float, after: float) -> float:
    """Returns by how much a moment lies after (or, negative, before) the interval in which it must lie."""
    return max(0.0, moment - after) + min(0.0, moment - before)


def _clock(apart: float, step: Step) -> None:
    """Judges by how many seconds the clock that stamps objects is ahead of this machine's."""
    words = f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} this machine's"
    remedy = "set the clocks of both by NTP, as by `timedatectl set-ntp true`"
    if abs(apart) < CLOCK_WARNING:
        step.ok(f"within {CLOCK_WARNING:g} s of this machine's")
    elif abs(apart) < CLOCK_FAILED:
        step.warning(words, remedy)
    else:
        step.failed(f"{words}: running jobs would be taken for lost", remedy)


@contextmanager
def _removed(place: Store, name: str) -> Iterator[None]:
    """Removes the object however the block ends; with time of its own, for the block may have used up its own."""
    try:
        yield
    finally:
        with suppress(InfraError):  # what keeps it from being removed is a finding already
            place.delete(name)


def _milliseconds(began: float) -> str:
    return f"{1000 * (time.monotonic() - began):.0f} ms"
