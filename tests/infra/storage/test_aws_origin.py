"""An address that can be none is one sentence, before anybody is asked, with the variable or the line that it is in."""

from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.settings import worker_environment
from infra.storage import open_store
from infra.storage.aws import address_book
from tests.infra.storage.sentences import sentence

ADDRESSES = {
    "http://127.0.0.1:99999": "Port out of range",
    "http://127.0.0.1:-1": "cannot be read",
    "http://127.0.0.1:0": "no host and port",
    "http://127.0.0.1:one": "cannot be read",
    "http://a b:9": "holds characters",
    "http://hö:9": "holds characters",
    "http://[::1": "cannot be read",
    "http://[::1]x:9": "no host and port",
    "http://": "no host and port",
    "http://a..b": "no host and port",
    f"http://{'a' * 300}": "no host and port",
    "127.0.0.1:9": "does not begin with",
    "ftp://127.0.0.1": "does not begin with",
    "http://127.0.0.1/?x=1": "goes on after",
    "http://someone:very-secret@127.0.0.1:9": "AWS_ACCESS_KEY_ID",
    "http://someone:very-secret@127.0.0.1:99999": "cannot be read",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def refusal() -> str:
    with pytest.raises(InfraError) as caught:
        open_store("s3://bucket/prefix")
    message = str(caught.value)
    assert "\n" not in message and len(message) < 300 and "very-secret" not in message
    return message


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_address_in_a_variable(address: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, address)
    message = refusal()
    assert ADDRESSES[address] in message and f"correct {variable}, as in" in message
    assert variable not in worker_environment(), "work in a local store goes on"


@pytest.mark.parametrize("file", ["config", "credentials"])
def test_an_address_in_a_file(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "[other]\nendpoint_url = http://127.0.0.1:99999\n\n"
    own = "[profile lab]" if file == "config" else "[lab]"
    (tmp_path / "config").write_text("[profile lab]\n")
    (tmp_path / file).write_text(f"{head}{own}\nregion = eu-central-1\nendpoint_url = http://127.0.0.1:99999\n")
    monkeypatch.setenv("AWS_PROFILE", "lab")
    assert f"correct endpoint_url in {tmp_path / file}, line 6," in refusal()


def test_an_address_among_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[default]\nservices = here\n[services here]\ns3 =\n  endpoint_url = 127.0.0.1:9\n"
    (tmp_path / "config").write_text(text)
    assert f"correct endpoint_url in {tmp_path / 'config'}, line 5," in refusal()


@pytest.mark.parametrize("region", ["eu central", "-x", "é", "a" * 64])
@pytest.mark.parametrize("where", ["AWS_REGION", "AWS_DEFAULT_REGION", "file"])
def test_a_region_that_can_be_none(region: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "file":
        (tmp_path / "config").write_text(f"[default]\nregion = {region}\n")
        where = f"region in {tmp_path / 'config'}, line 2"
    else:
        monkeypatch.setenv(where, region)
    assert f"correct {where}, as in eu-central-1" in refusal()


def test_a_host_that_the_system_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\nendpoint_url = http://no-such-host.invalid:9\n")
    message = sentence("s3://bucket")
    assert "no address of host 'no-such-host.invalid'" in message
    assert f"correct endpoint_url in {tmp_path / 'config'}, line 2, or --store" in message


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://[::1]:9/path/", "http://host.", "http://host_a"])
def test_an_address_that_can_be_one_passes(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    assert address_book().endpoint == address.rstrip("/")
