"""GPUs: whether torch sees them, their memory, a product in bf16, and NCCL by a sum over one process."""

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from flows.cli.doctor.findings import Asked, Report, Step

GB = 10**9
FREE_WARNING = 4 * GB
STEPS = ("memory", "bf16", "nccl")
DRIVER = Path("/proc/driver/nvidia/version")
SIDE = 256
"""Rows and columns of the matrices that are multiplied."""


def check(asked: Asked, report: Report) -> None:
    """Computes on every visible GPU; a machine without one is as good as any."""
    with report.step("device") as step:
        import torch

        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        _visible(count, step)
    if not step.passed or not count:
        report.skip("no GPU", *STEPS)
        return
    with report.step("memory") as step:
        _memory(count, step)
    with report.step("bf16") as step:
        _bf16(count, step)
    with report.step("nccl") as step:
        _nccl(asked.seconds, step)


def _visible(count: int, step: Step) -> None:
    import torch

    hidden, driver = os.environ.get("CUDA_VISIBLE_DEVICES"), DRIVER.exists()
    if count:
        names = sorted({torch.cuda.get_device_name(index) for index in range(count)})
        step.ok(f"{count} × {', '.join(names)}; torch {torch.__version__}, CUDA {torch.version.cuda}")
    elif driver and hidden in (None, ""):
        built = torch.version.cuda
        step.failed(
            f"the machine has an NVIDIA driver, and torch {torch.__version__} "
            + (f"cannot use it with CUDA {built}" if built else "is built without CUDA"),
            f"see `nvidia-smi`; the driver must be new enough for CUDA {built}"
            if built
            else "install a build of torch with CUDA",
        )
    elif driver or shutil.which("nvidia-smi"):
        step.warning(f"no GPU is visible (CUDA_VISIBLE_DEVICES is {hidden!r}): CPU", "unset CUDA_VISIBLE_DEVICES")
    else:
        step.ok("no GPU: CPU")


def _memory(count: int, step: Step) -> None:
    import torch

    found = [torch.cuda.mem_get_info(index) for index in range(count)]
    words = ", ".join(f"{free / GB:.3g} of {total / GB:.3g} GB free" for free, total in found)
    if min(free for free, _ in found) < FREE_WARNING:
        step.warning(words, "end what else uses the GPU (`nvidia-smi`), or hide it by CUDA_VISIBLE_DEVICES")
    else:
        step.ok(words)


def _bf16(count: int, step: Step) -> None:
    import torch

    wrong = [index for index in range(count) if not multiplies(f"cuda:{index}")]
    if wrong:
        step.failed(f"GPU {wrong[0]} multiplies wrongly", "take it out of use, and see `nvidia-smi -q -d ECC`")
    elif torch.cuda.is_bf16_supported(including_emulation=False):
        step.ok("multiplies in bf16")
    else:
        step.warning("emulated only, and slow", "train with --precision fp16 or fp32 (`auto` does)")


def _nccl(seconds: float, step: Step) -> None:
    import torch
    import torch.distributed as dist

    if not dist.is_nccl_available():
        step.failed("torch is built without NCCL", "install the build of torch that requirements.lock names")
        return
    sum_alone("nccl", "cuda:0", seconds)
    version = ".".join(map(str, torch.cuda.nccl.version()))
    step.ok(f"NCCL {version} starts and sums on one GPU; between GPUs and nodes it is not tried")


def multiplies(device: str) -> bool:
    """Returns whether a device multiplies in bf16 without an error: all numbers are powers of two, and exact."""
    import torch

    ones = torch.ones(SIDE, SIDE, dtype=torch.bfloat16, device=device)
    return (ones @ ones).float().sum().item() == SIDE**3


def sum_alone(backend: str, device: str, seconds: float) -> None:
    """Makes a process group of this process alone and sums over it, which loads and starts the backend.

    Raises:
        RuntimeError: the backend does not start, or sums wrongly.
    """
    import torch
    import torch.distributed as dist

    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting"
        dist.init_process_group(backend, init_method=meeting, rank=0, world_size=1, timeout=timedelta(seconds=seconds))
        try:
            total = torch.ones(1, device=device)
            dist.all_reduce(total)
            if total.item() != 1:
                raise RuntimeError(f"a sum of {backend} over one process is {total.item():g}, not 1")
        finally:
            dist.destroy_process_group()
