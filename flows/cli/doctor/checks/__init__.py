"""The checks, a file for each subject."""

import importlib
from dataclasses import dataclass

from flows.cli.doctor.findings import Asked, Report


@dataclass(frozen=True)
class Check:
    """A subject: what is looked at, and where to look if it hangs."""

    about: str
    hangs: str
    """what to do where a step of it does not end in time"""
    times: int = 1
    """by which the time of a step is multiplied: packages of others may take long to import"""
    room: str = __name__
    """package in which a module of the check's name does it"""


CHECKS = {
    "python": Check(
        "Python, and the packages against the lock file", "see whether the disk of the environment answers"
    ),
    "settings": Check(
        "variables and AWS settings", "see whether the files that AWS_CONFIG_FILE and others name answer"
    ),
    "machine": Check(
        "processor, memory, disks, shared memory, open files, temporary folder",
        "a disk or a network folder does not answer: see `mount` and `dmesg`",
    ),
    "store": Check("every operation that jobs need of the store, and its clock", "see whether the store answers"),
    "prefect": Check("Prefect's server, or the place for one of our own", "see whether the server answers"),
    "ray": Check("the Ray cluster, or what a local Ray needs", "see whether the cluster answers: `ray status`"),
    "gpu": Check("GPU: memory, bf16, NCCL", "see `nvidia-smi` and `dmesg`: a GPU or its driver may hang"),
    "renderers": Check(
        "MuJoCo and pygame without a display", "set MUJOCO_GL to egl or osmesa; see `dmesg` for the driver"
    ),
    "worlds": Check(
        "one small frame of every world", "a world of others may hang in its renderer: try --only renderers", times=3
    ),
}
"""By name, in the order in which they are shown."""


def run_check(module: str, asked: Asked, report: Report) -> None:
    """Runs the check of a module in this process."""
    importlib.import_module(module).check(asked, report)
