"""Servers that give every request the same answer, or none: what moto, which refuses nobody, cannot be made to say."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread

from tests.http_servers import Handler, served


def s3_error(code: str, message: str = "no") -> bytes:
    """Returns the body by which S3 tells an error."""
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return text.encode()


@contextmanager
def answering(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serves on loopback and yields the endpoint; `headers` come on top, a `Date` instead of the time."""

    class Answers(Handler):
        def answer(self) -> None:
            self.body()
            given = {"Date": self.date_time_string(), "Content-Length": str(len(body))} | dict(headers or {})
            self.send_response_only(status)
            for name, value in given.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer

    with served(Answers) as address:
        yield address


@contextmanager
def dripping(first: bytes, pause: float) -> Iterator[tuple[str, list[float]]]:
    """Accepts connections on loopback, sends `first` on each and then a byte after each pause, without end.

    Yields the endpoint, and the number of bytes that were dripped on each connection.
    """
    over, drips = threading.Event(), list[float]()

    def serve(connection: socket.socket) -> None:
        place = len(drips)
        drips.append(0)
        try:
            with connection:
                connection.recv(65536)
                connection.sendall(first)
                while not over.wait(pause):
                    connection.sendall(b"x")
                    drips[place] += 1
        except OSError:
            return

    with _accepting(serve) as endpoint:
        yield endpoint, drips
        over.set()


@contextmanager
def silent() -> Iterator[tuple[str, list[float]]]:
    """Accepts connections on loopback and never says a word; yields the endpoint and a 0 for each connection."""
    with dripping(b"", pause=3600) as served:
        yield served


@contextmanager
def _accepting(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            try:
                while True:
                    Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
            except OSError:
                return

        Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
