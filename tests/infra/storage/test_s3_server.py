"""The embedded S3 server serves one bucket for the time of a block, and ends with its owner, however that ends."""

import signal
import urllib.request

import pytest

from infra.storage import open_store
from infra.storage.s3_server import serve_s3
from tests.infra.owned import descendants_after

pytestmark = pytest.mark.s3


def test_it_serves_its_bucket_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_s3("another") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        open_store(server.uri).check()
        assert server.uri == "s3://another"
    with pytest.raises(OSError):
        urllib.request.urlopen(server.endpoint, timeout=2)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_its_owner(end: signal.Signals) -> None:
    assert descendants_after("from infra.storage.s3_server import serve_s3", "serve_s3()", end) == []
