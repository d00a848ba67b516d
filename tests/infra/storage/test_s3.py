"""What keeps a store on S3 from being used is a sentence that names the address and the remedy, and no key."""

from pathlib import Path

import pytest

from tests.infra.storage.s3_answers import answering, s3_error
from tests.infra.storage.sentences import sentence


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")


@pytest.mark.timeout(60)  # the client's own patience is minutes
def test_an_unreachable_endpoint_is_named_within_seconds(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    message = sentence("s3://bucket/prefix")
    assert "s3://bucket/prefix" in message and "http://127.0.0.1:9" in message and "AWS_ENDPOINT_URL" in message


def test_an_endpoint_that_is_no_address(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not an address")
    assert "correct AWS_ENDPOINT_URL" in sentence("s3://bucket")


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "ExpiredToken"])
def test_a_wrong_credential(code: str, credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(403, s3_error(code)) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        message = sentence("s3://bucket/prefix")
    assert f"({code})" in message and "AWS_ACCESS_KEY_ID" in message and endpoint in message


def test_no_credential(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "no credentials" in sentence("s3://bucket") and "AWS_PROFILE" in sentence("s3://bucket")


def test_a_server_that_ignores_conditional_writes(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert "ignores conditional writes" in sentence("s3://bucket")


@pytest.mark.s3
def test_a_missing_bucket(s3: str) -> None:
    message = sentence("s3://nobody-made-this/prefix")
    assert "'nobody-made-this' does not exist" in message and "create it" in message
