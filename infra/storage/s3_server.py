"""An S3 server of our own on loopback, in memory, for `make demo STORE=s3` and the tests.

It is moto's, which honours ranges and conditional writes and asks nobody for a credential: never open it to a network.
"""

import logging
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from infra.processes.child import child_server, end_with_parent

BUCKET = "foundry"


@dataclass(frozen=True)
class S3Server:
    """A running server; nothing in this process points to it until somebody applies its `environment`."""

    endpoint: str
    bucket: str

    @property
    def uri(self) -> str:
        """Returns the address of its bucket as a store."""
        return f"s3://{self.bucket}"

    @property
    def environment(self) -> dict[str, str]:
        """Returns the variables by which every S3 client finds the server and has something to sign with."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "S3_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "embedded",
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def serve_s3(bucket: str = BUCKET) -> Iterator[S3Server]:
    """Runs a server with one empty bucket in a process of its own, and stops it.

    Raises:
        InfraError: the server did not start.
    """
    with child_server("infra.storage.s3_server", "the embedded S3 server") as endpoint:
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}", method="PUT"), timeout=30).close()
        yield S3Server(endpoint, bucket)


def main() -> None:
    """Serves on a free port until the parent process stops it."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # Threads may still be answering at the end; what they hold is in memory and of no use to anybody then.
    end_with_parent()
    print(f"http://{host}:{port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
