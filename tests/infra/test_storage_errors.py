"""Whatever keeps a store from being used is told in one sentence that names the address and the remedy."""

import errno
import os
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import open_store
from tests.infra.s3_answers import answering, s3_error


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")


def sentence(uri: str) -> str:
    """Returns the one sentence by which the store's check fails."""
    with pytest.raises(InfraError) as caught:
        open_store(uri).check()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 300 and "very-secret" not in message
    return message


@pytest.mark.parametrize(
    "uri", ["", " ", "gs://bucket/x", "http://host/x", "file:///x", "s3://", "s3://UPPER/x", "s3:///x"]
)
def test_an_address_that_is_none(uri: str) -> None:
    assert "give" in sentence(uri) and repr(uri) in sentence(uri)


@pytest.mark.timeout(60)  # the client's own patience is minutes
def test_an_unreachable_endpoint_is_told_in_seconds(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for uri in (tmp_path / "file", tmp_path / "file" / "runs"):
        assert f"'{tmp_path / 'file'}' is not a folder" in sentence(str(uri))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "permission denied" in sentence(str(tmp_path / "runs"))


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "permission denied"), (errno.EROFS, "permission denied"), (errno.ENOSPC, "disk is full")],
)
def test_a_write_that_the_system_refuses_leaves_nothing(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    store = open_store(str(tmp_path))
    store.write("object", b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    for write in (store.write, store.write_if_absent):
        with pytest.raises(InfraError, match=words) as caught:
            write("object" if write == store.write else "other", b"new")
        assert str(tmp_path) in str(caught.value) and "--store" in str(caught.value)
    assert words in sentence(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["object"] and store.read("object") == b"old"
