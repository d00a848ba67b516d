"""A proxy on loopback that stands before an S3 server and harms a share of the requests, each in one of five ways."""

import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("slow down", "reset before", "reset after", "cut off", "time out")
"""503 at once; the connection reset before the server sees the request, after it has answered, or in the middle of its
answer; no answer at all."""
SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)


class FaultyProxy(ThreadingHTTPServer):
    """Counts what it did in `seen`, by fault and `fine`."""

    daemon_threads = True

    def __init__(self, upstream: str, share: float, seed: int, silence: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.share, self.silence = urlsplit(upstream).netloc, share, silence
        self.seen: Counter[str] = Counter()
        self._random, self._lock = random.Random(seed), threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def draw(self) -> str:
        with self._lock:
            fault = self._random.choice(FAULTS) if self._random.random() < self.share else "fine"
            self.seen[fault] += 1
            return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def handle_any(self) -> None:
        fault = self.server.draw()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault == "slow down":
            self._answer(503, "Slow Down", {"Content-Type": "application/xml"}, SLOW_DOWN)
        elif fault == "reset before":
            self._reset()
        elif fault == "time out":
            threading.Event().wait(self.server.silence)
            self._reset()
        else:
            self._forward(body, fault)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any

    def _forward(self, body: bytes, fault: str) -> None:
        upstream = HTTPConnection(self.server.upstream, timeout=60)
        try:
            upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            data = answer.read()
        finally:
            upstream.close()
        if fault == "reset after":
            self._reset()
        else:
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in HOP}
            self._answer(answer.status, answer.reason, headers, data, cut_off=fault == "cut off")

    def _answer(self, status: int, reason: str, headers: dict[str, str], data: bytes, cut_off: bool = False) -> None:
        # The answer to HEAD tells the length of what it does not send.
        length = headers.pop("Content-Length", str(len(data))) if self.command == "HEAD" else str(len(data))
        headers.pop("Content-Length", None)
        self.send_response_only(status, reason)
        for name, value in (headers | {"Content-Length": length}).items():
            self.send_header(name, value)
        self.end_headers()
        if cut_off:
            data = data[: len(data) // 2]
        self.wfile.write(b"" if self.command == "HEAD" else data)
        if cut_off:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        # Closing without lingering sends RST, not FIN: the client sees "connection reset by peer".
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.rfile.close()

    def log_message(self, *_: object) -> None:
        return

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            return  # we have reset the connection ourselves


HOP = ("connection", "transfer-encoding", "keep-alive", "date", "server")


@contextmanager
def faulty_proxy(upstream: str, share: float = 0.2, seed: int = 0, silence: float = 2.0) -> Iterator[FaultyProxy]:
    """Runs a proxy before the server at `upstream`; `silence` is how many seconds a request that times out hangs."""
    with FaultyProxy(upstream, share, seed, silence) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
