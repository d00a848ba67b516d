"""A proxy on loopback before an S3 server, which changes what passes: a server with one fault, and no other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from tests.http_servers import Handler, served
from tests.infra.storage.s3_answers import s3_error

HOP = ("connection", "transfer-encoding", "content-length", "server")


@dataclass(frozen=True)
class Fault:
    """What the proxy does wrong."""

    refused: str = ""
    """method that is answered by 403, with all headers of the request as the message"""
    code: str = "AccessDenied"
    """of that answer"""
    ignored: str = ""
    """header of requests that the server never sees"""
    answer: Callable[[bytes], bytes] = bytes
    """what becomes of the body of an answer to GET"""


@contextmanager
def altered(upstream: str, fault: Fault) -> Iterator[str]:
    """Runs the proxy and yields its endpoint."""

    class Answers(Handler):
        def handle_any(self) -> None:
            body = self.body()
            if self.command == fault.refused:
                headers = {"Content-Type": "application/xml"}
                self._answer(403, headers, s3_error(fault.code, escape(str(dict(self.headers)))))
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != fault.ignored.lower()}
            connection = HTTPConnection(urlsplit(upstream).netloc, timeout=60)
            try:
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                data = answer.read()
            finally:
                connection.close()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP}
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self._answer(answer.status, kept, fault.answer(data) if self.command == "GET" else data, length)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any

        def _answer(self, status: int, headers: dict[str, str], data: bytes, length: str | None = None) -> None:
            self.send_response_only(status)
            for name, value in (headers | {"Content-Length": length or str(len(data))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

    with served(Answers) as address:
        yield address
