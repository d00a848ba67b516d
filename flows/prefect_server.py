"""Prefect's own server, without its page, for the time of one command; the database is the user's (PREFECT_HOME)."""

import os
import socket

from infra.child import end_with_parent

EPHEMERAL = {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1", "PREFECT_UI_ENABLED": "0"}
"""What Prefect sets for the server that it starts where no other is configured."""


def main() -> None:
    """Serves on a free port of loopback until the parent process stops it; prints the API's address once it answers."""
    os.environ.update(EPHEMERAL)
    import uvicorn
    from prefect.server.api.server import create_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                print(f"http://127.0.0.1:{port}/api", flush=True)

    def stop() -> None:
        server.should_exit = True

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = Server(uvicorn.Config(create_app(), log_level="critical", lifespan="on"))
        end_with_parent(stop)
        server.run(sockets=[listener])


if __name__ == "__main__":
    main()
