"""What a Ray of our own runs in: a private folder, a token, and variables that keep every socket on loopback.

Ray makes its session folders writable for all, so they lie in a folder that only its owner may enter. The next run
removes the folders whose owner was killed; a watchdog ends what Ray leaves running then.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.errors import InfraError
from infra.processes.identity import ProcessIdentity, is_running, this_process

PREFIX, OWNER = "jepa-ray-", "owner.json"
LONGEST = 40
"""Characters of the folder's parent: the name of a socket has at most 107, and Ray's own part of it takes 60."""
GRACE_SECONDS = 3.0
"""How long Ray's processes have to end by themselves."""

LOOPBACK = {
    # Ray's switch for systems whose firewall asks about each socket: one node, at 127.0.0.1, and nothing wider.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Where the processes of one machine meet in a training.
    "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
    "NCCL_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
}
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_STATE_TRACKING": "0",
}


@dataclass(frozen=True)
class RaySession:
    """A private folder for the session of one local Ray."""

    folder: Path

    @property
    def temp_dir(self) -> Path:
        """Returns what Ray is to take for its `_temp_dir`."""
        return self.folder / "r"

    @property
    def variables(self) -> dict[str, str]:
        """Returns the environment of every process of this Ray, clients included; the token itself is not in it."""
        token = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.folder / "token"),
            "RAY_AUTH_TOKEN": "",  # would go before the file
        }
        return LOOPBACK | QUIET | token


@contextmanager
def ray_session() -> Iterator[RaySession]:
    """Makes a private folder with a new token, and removes it and what still works in it; so does a watchdog.

    Raises:
        InfraError: the folder cannot be made.
    """
    parent = session_parent()
    remove_abandoned(parent)
    owner = this_process()
    try:
        session = RaySession(Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)))
        (session.folder / OWNER).write_text(json.dumps(asdict(owner)))
        with open(os.open(session.folder / "token", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as token:
            token.write(secrets.token_hex(32))
    except OSError as error:
        raise InfraError(
            f"no private folder for a local Ray in {parent} ({error.strerror}); set RAY_TMPDIR to a folder with space"
        ) from error
    watchdog = subprocess.Popen(
        [sys.executable, "-m", "infra.ray_cluster.local", str(session.folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # neither a Ctrl-C nor what kills our group ends it before its time
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        yield session
    finally:
        clear(session.folder, GRACE_SECONDS)
        watchdog.kill()
        watchdog.wait()


def remove_abandoned(parent: Path) -> None:
    """Removes the folders of ours whose owner was killed, and ends what still works in them; others are left alone."""
    for folder in abandoned(parent):
        clear(folder)


def abandoned(parent: Path) -> Iterator[Path]:
    """Yields the folders of ours whose owner was killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            foreign = folder.is_symlink() or folder.stat().st_uid != os.getuid()
            owner = None if foreign else ProcessIdentity(**json.loads((folder / OWNER).read_text()))
        except (OSError, ValueError, TypeError):
            continue
        if owner is not None and is_running(owner) is False:
            yield folder


def clear(folder: Path, grace: float = 0.0) -> None:
    """Ends all processes that work in a session's folder, after a while that they have for it, and removes it."""
    deadline = time.monotonic() + grace
    while (working := _working_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    while working:
        for process in working:
            try:
                os.kill(process, signal.SIGKILL)
            except OSError:
                continue  # it has ended meanwhile, or is not ours to end
        time.sleep(0.05)
        working = [process for process in _working_in(folder) if process not in working]
    # The owner's name goes last: what cannot be removed now is then found again by the next run.
    for inside in [path for path in folder.glob("*") if path.name != OWNER]:
        shutil.rmtree(inside, ignore_errors=True) if inside.is_dir() else inside.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _working_in(folder: Path) -> list[int]:
    """Returns the processes, but this one, that write to a file of the folder: each of Ray's has its log there."""
    start, us = f"{folder}{os.sep}", str(os.getpid())
    processes = (process for process in Path("/proc").glob("[0-9]*") if process.name != us)
    return [int(process.name) for process in processes if _writes_below(process, start)]


def _writes_below(process: Path, start: str) -> bool:
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return False  # another user's, or gone
    for descriptor in descriptors:
        try:
            if os.readlink(descriptor).startswith(start):
                flags = (process / "fdinfo" / descriptor.name).read_text().partition("flags:")[2].split()[0]
                # Who only reads a log there, such as `tail -f`, is none of Ray's.
                if int(flags, 8) & os.O_ACCMODE != os.O_RDONLY:
                    return True
        except (OSError, IndexError, ValueError):
            continue
    return False


def session_parent() -> Path:
    """Returns where temporary files go, or the shortest such place if its name leaves no room for that of a socket."""
    parent = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()).absolute()
    return parent if len(str(parent)) <= LONGEST else Path("/tmp")


def main() -> None:
    """Waits until the owner of a folder is gone, then ends what works in it and removes it."""
    folder = Path(sys.argv[1])
    owner = ProcessIdentity(**json.loads((folder / OWNER).read_text()))
    while is_running(owner):
        time.sleep(1)
    clear(folder)


if __name__ == "__main__":
    main()
