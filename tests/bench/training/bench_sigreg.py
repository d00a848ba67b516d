"""SIGReg with its hand-written gradient against the formula under autograd: time and peak memory, forward and backward.

Run: python -m tests.bench.training.bench_sigreg
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig
from tests.jepa.objectives.terms.formula import sigreg_formula

CASES = [(size, directions) for size in (32, 192) for directions in (256, 1024)]
STEPS, SAMPLES = 4, 128


def statistic(kind: str, size: int, directions: int) -> Callable[[Tensor], Tensor]:
    """Returns the statistic by its name, on the same directions for both."""
    sigreg = SIGReg(SIGRegConfig(directions=directions))
    if kind == "written":
        return lambda z_TND: sigreg(z_TND, step=0, seed=0)
    return lambda z_TND: sigreg_formula(z_TND, sigreg.directions(size, step=0, seed=0))


def measure(kind: str, size: int, directions: int, repeats: int, threads: int) -> tuple[float, float]:
    """Returns CPU milliseconds of one forward and backward (the best), and the MiB the process grew by."""
    torch.set_num_threads(threads)
    function = statistic(kind, size, directions)
    z_TND = torch.randn(STEPS, SAMPLES, size, requires_grad=True)
    # The first small call brings in the libraries, whose size is not the statistic's.
    function(z_TND[:, :2]).backward()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        function(z_TND).backward()
        seconds.append(time.process_time() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return 1e3 * min(seconds), grown


def measure_apart(kind: str, size: int, directions: int, repeats: int, threads: int) -> tuple[float, float]:
    """Measures in a process of its own: a peak of memory never goes down again."""
    arguments = [kind, size, directions, repeats, threads]
    program = f"from tests.bench.training.bench_sigreg import measure; print(*measure(*{arguments!r}))"
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    milliseconds, mebibytes = out.split()
    return float(milliseconds), float(mebibytes)


def main() -> None:
    """Prints a table of both implementations and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"{STEPS} x {SAMPLES} latents, 17 knots, {options.threads} threads; CPU time, best of {options.repeats}")
    print("   D directions  autograd ms  written ms  ratio  autograd MiB  written MiB")
    for size, directions in CASES:
        slow, large = measure_apart("autograd", size, directions, options.repeats, options.threads)
        fast, small = measure_apart("written", size, directions, options.repeats, options.threads)
        print(f"{size:>4} {directions:>10} {slow:12.1f} {fast:11.2f} {slow / fast:6.1f} {large:13.0f} {small:12.1f}")


if __name__ == "__main__":
    main()
