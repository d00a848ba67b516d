"""Runs a target on mutated inputs: each is read, or refused in one sentence, in bounded time and memory.

By hand, a target runs under atheris where it is installed, otherwise on inputs drawn by a seed until it is stopped.
"""

import importlib
import os
import random
import resource
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from infra.errors import InfraError
from jepa.core.errors import InputError
from tests.pipelines.damage import HARMS

SLOW = 10.0
"""Seconds that no input may take, on a machine that is shared."""
LARGE = 1 << 30
"""Bytes that all inputs together may add to the process's peak."""


class Target(NamedTuple):
    """A reader of foreign bytes."""

    examples: tuple[bytes, ...]
    """whole inputs, to be mutated"""
    read: Callable[[bytes], object]
    """reads an input to the end; raises only InputError and InfraError"""


def try_input(target: Target, data: bytes) -> bool:
    """Returns whether the target read an input; False where it refused it in one sentence."""
    began = time.perf_counter()
    try:
        target.read(data)
        read = True
    except (InputError, InfraError) as error:
        assert str(error) and "\n" not in str(error), f"no single sentence: {error!r}"
        read = False
    seconds = time.perf_counter() - began
    assert seconds < SLOW, f"one input took {seconds:.1f} s"
    return read


def run_for(target: Target, seconds: float, seed: int = 0) -> int:
    """Tries mutated inputs for some seconds; returns how many."""
    assert all(try_input(target, example) for example in target.examples)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rng, tried, end = random.Random(seed), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        data = rng.choice(target.examples)
        for _ in range(rng.randrange(1, 4)):
            data = (rng.choice(HARMS)(rng, data) or b"") if data else rng.randbytes(rng.randrange(1, 99))
        try:
            try_input(target, data)
        except Exception as error:
            raise AssertionError(
                f"input {tried} of seed {seed} ({len(data)} bytes, {data[:200]!r}): {error!r}"
            ) from error
        tried += 1
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < LARGE, f"the inputs took {grown:,} bytes of memory"
    return tried


def run_by_hand(target: Target) -> None:
    """Runs a target until it is stopped or fails: under atheris, or by a new seed each minute."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        seed = int.from_bytes(os.urandom(4), "little")
        while True:
            print(f"seed {seed}: {run_for(target, 60, seed)} inputs", flush=True)
            seed += 1
    atheris.Setup(sys.argv, lambda data: try_input(target, data) and None)
    atheris.Fuzz()
