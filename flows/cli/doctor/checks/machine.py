"""What the machine has: processors, memory, room on its disks, shared memory, open files, a temporary folder."""

import os
import resource
import socket
import tempfile
import uuid
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

from flows.cli.doctor.findings import Asked, Report, Step
from infra.processes.machine import machine_bytes, machine_cores
from infra.ray_cluster.connection import LONGEST_TMPDIR
from infra.settings import RaySettings
from infra.storage import open_store
from infra.storage.local import LocalStore
from pipelines.loader.config import LoaderConfig

GB = 10**9
DISK_WARNING, DISK_FAILED = 10 * GB, GB
MEMORY_WARNING = 4 * GB
FILES_WARNING, FILES_FAILED = 1024, 256
"""Open files of one process; a local Ray alone takes a few hundred."""
SOCKET_BYTES = 107
"""That the name of a socket may have."""


def check(asked: Asked, report: Report) -> None:
    """Measures each of them."""
    with report.step("processor, memory") as step:
        _memory(step)
    with report.step("disk of the store") as step:
        _store_disk(asked.store, step)
    with report.step("disk of the shard cache") as step:
        _disk(LoaderConfig().cache_path(), "set XDG_CACHE_HOME, or --loader.cache-folder, to a larger disk", step)
    with report.step("shared memory") as step:
        _shared_memory(step)
    with report.step("open files") as step:
        _open_files(step)
    with report.step("temporary folder") as step:
        _temporary(Path(tempfile.gettempdir()), step)


def free_bytes(folder: Path) -> int:
    """Returns the room that this user has on the disk of a folder, or of the folder in which it would be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _memory(step: Step) -> None:
    cores, held = machine_cores(), machine_bytes()
    words = f"{cores} core{'s' if cores > 1 else ''}, {'unknown' if held is None else _gb(held)} of memory"
    if held is not None and held < MEMORY_WARNING:
        step.warning(words, f"a training needs about {_gb(MEMORY_WARNING)}: take smaller batches and one worker")
    else:
        step.ok(words)


def _store_disk(uri: str, step: Step) -> None:
    store = open_store(uri)
    if isinstance(store, LocalStore):
        _disk(store.root, "free some space, or choose a store elsewhere by --store", step)
    else:
        step.skipped("the store is no folder of this machine")


def _disk(folder: Path, remedy: str, step: Step) -> None:
    free = free_bytes(folder)
    words = f"{_gb(free)} free for {folder}"
    if free < DISK_FAILED:
        step.failed(words, remedy)
    elif free < DISK_WARNING:
        step.warning(words, remedy)
    else:
        step.ok(words)


def _shared_memory(step: Step) -> None:
    try:
        block = SharedMemory(create=True, size=4096)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        step.failed(f"none can be made ({reason})", "mount a tmpfs at /dev/shm; in Docker give --shm-size 2g")
        return
    block.close()
    block.unlink()
    folder, wanted = Path("/dev/shm"), RaySettings().object_store_memory
    if not folder.is_dir():
        step.ok("works; its size is not known here")
        return
    free = free_bytes(folder)
    if free < wanted:
        remedy = f"a local Ray takes {_gb(wanted)}: enlarge /dev/shm; in Docker give --shm-size 2g"
        step.warning(f"{_gb(free)} free in {folder}", remedy)
    else:
        step.ok(f"{_gb(free)} free in {folder}")


def _open_files(step: Step) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    words = f"{_limit(soft)} for a process, which may raise it to {_limit(hard)}"
    enough = "65536" if hard == resource.RLIM_INFINITY else str(min(hard, 65536))
    remedy = f"run `ulimit -n {enough}` before the command"
    if hard != resource.RLIM_INFINITY and hard < FILES_WARNING:
        remedy = "have the administrator raise it (limits.conf; LimitNOFILE of a service)"
    if soft != resource.RLIM_INFINITY and soft < FILES_FAILED:
        step.failed(words, remedy)
    elif soft != resource.RLIM_INFINITY and soft < FILES_WARNING:
        step.warning(words, remedy)
    else:
        step.ok(words)


def _temporary(folder: Path, step: Step) -> None:
    """Makes a socket whose name is as long as those of a local Ray."""
    remedy = "set TMPDIR to a folder with a short name and some space, such as /tmp"
    path = folder / f"jepa-{uuid.uuid4().hex}"[: SOCKET_BYTES - LONGEST_TMPDIR - 1]
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(path))
        path.unlink()
    except OSError as error:
        reason = "its name is too long for the sockets of a local Ray" if "too long" in str(error) else str(error)
        step.failed(f"{folder}: {reason}", remedy)
    else:
        _disk(folder, remedy, step)


def _limit(count: int) -> str:
    return "any number" if count == resource.RLIM_INFINITY else f"{count:,}"


def _gb(count: float) -> str:
    return f"{count / GB:.3g} GB"
