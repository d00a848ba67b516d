"""Freed memory is not cleared again by the system while it is kept, and goes back afterwards."""

import subprocess
import sys

import pytest

from infra.processes.freed_memory import _mallopt, freed_memory_kept

ROUNDS = """
import resource
from infra.processes.freed_memory import freed_memory_kept

def work():
    blocks = [bytearray(b"x" * 2**23) for _ in range(8)]

def faults():
    work()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) // 1024

print(faults())
with freed_memory_kept():
    print(faults(), held())
print(held())
"""


@pytest.mark.skipif(_mallopt() is None, reason="the C library is not glibc")
def test_blocks_that_are_freed_and_allocated_again_cost_no_page_faults() -> None:
    done = subprocess.run([sys.executable, "-c", ROUNDS], capture_output=True, text=True, check=True)
    usual, kept, held, held_after = map(int, done.stdout.split())
    assert usual > 10_000  # three rounds of 64 MB in pages of 4 KB
    assert kept < usual / 20
    assert held - held_after > 40


def test_an_error_passes_through() -> None:
    with pytest.raises(KeyError), freed_memory_kept():
        raise KeyError("x")
