"""A PostgreSQL of our own, for the time of a block, where Debian's package is installed."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PLACES = "/usr/lib/postgresql"
"""Where Debian keeps the servers of each version, which are not on the path."""
USERS = ("postgres", "nobody")
"""Who runs it where we are root, as whom it refuses to run."""


def program(name: str) -> str:
    """Returns the path of one of PostgreSQL's programs, or skips the test."""
    places = [os.environ["PATH"], *(str(path) for path in sorted(Path(PLACES).glob("*/bin"), reverse=True))]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        pytest.skip(f"{name} is not installed (Debian's package postgresql); Prefect on PostgreSQL was not checked")
    return found


def account() -> pwd.struct_passwd | None:
    """Returns who is to run it, None where we may; skips the test where there is nobody."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no other user; Prefect on it was not checked")


@contextmanager
def serve_postgres() -> Iterator[str]:
    """Runs a server that listens on a socket in a private folder alone, and gives its address for SQLAlchemy."""
    initdb, postgres, user = program("initdb"), program("postgres"), account()
    folder = Path(tempfile.mkdtemp(prefix="jepa-pg-"))  # not pytest's: its folders are closed to other users
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        common: dict[str, Any] = {"cwd": folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}}
        if user is not None:
            common |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        make = [initdb, "--pgdata=data", "--username=prefect", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        made = subprocess.run(make, capture_output=True, text=True, timeout=120, **common)
        assert made.returncode == 0, made.stdout + made.stderr
        serve = [postgres, "-D", "data", "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(serve, stdout=log, stderr=log, **common)
        try:
            _wait_until_ready(server, folder)
            yield f"postgresql+asyncpg://prefect@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)  # on SIGTERM it would wait for its clients
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(server: "subprocess.Popen[bytes]", folder: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        if "ready to accept connections" in (folder / "log").read_text():
            return
        time.sleep(0.2)
    raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()[-2000:]}")
