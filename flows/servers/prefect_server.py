"""Prefect's own server, without its page, for the time of one command; the database is the user's (PREFECT_HOME)."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.processes.child import end_with_parent

EPHEMERAL = {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1", "PREFECT_UI_ENABLED": "0"}
"""What Prefect sets for the server that it starts where no other is configured."""


LOCK = "jepa-server-start.lock"
"""Held while a server starts: of two that make the tables of one new database at once, one fails."""


@contextmanager
def start_lock() -> Iterator[None]:
    """Waits until no other server of ours starts on the same database."""
    from prefect.settings import get_current_settings

    home = Path(get_current_settings().home)
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Serves on a free port of loopback until the parent process stops it; prints the API's address once it answers."""
    os.environ.update(EPHEMERAL)
    import uvicorn
    from prefect.server.api.server import create_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            # The tables are there before a server starts: making them is a part of that.
            with start_lock():
                await super().startup(sockets=sockets)
            if self.started:
                print(f"http://127.0.0.1:{port}/api", flush=True)

    def stop() -> None:
        server.should_exit = True

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = Server(uvicorn.Config(create_app(), log_level="error", lifespan="on"))
        end_with_parent(stop)
        server.run(sockets=[listener])


if __name__ == "__main__":
    main()
