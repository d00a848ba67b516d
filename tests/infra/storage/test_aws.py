"""One address book: a profile alone leads every client to its server, in its region, under its name."""

import logging
import os
import uuid
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from pyarrow.fs import S3FileSystem

from infra.errors import InfraError
from infra.settings import S3Settings, worker_environment
from infra.storage import Store, open_store
from infra.storage.s3_server import S3Server
from pipelines.executor import run_units
from tests.infra.storage.profiles import FORMS, REGION, use_profile

pytestmark = pytest.mark.s3


@pytest.fixture
def lab(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty prefix, to which the profile in use leads."""
    use_profile("services", s3_server, tmp_path, monkeypatch)
    return f"{s3_server.uri}/{uuid.uuid4().hex[:8]}"


def write_name(uri: str) -> str:
    """Writes an object from wherever this runs and returns who read it there."""
    open_store(uri).write("from-a-worker", b"here")
    return str(os.getpid())


def arrow_bytes(store: Store, path: str) -> bytes:
    filesystem, root = store.arrow()
    with filesystem.open_input_stream(f"{root}/{path}") as stream:
        return bytes(stream.read())


@pytest.mark.parametrize("form", FORMS)
def test_a_profile_alone_leads_objects_and_tables_to_its_server(
    form: str, s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_profile(form, s3_server, tmp_path, monkeypatch)
    assert S3Settings.from_environment() == S3Settings(endpoint=s3_server.endpoint, region=REGION)
    store = open_store(f"{s3_server.uri}/{uuid.uuid4().hex[:8]}")
    store.check()
    store.write("a/b", b"by botocore")
    assert store._s3().meta.region_name == REGION  # type: ignore[attr-defined]
    assert arrow_bytes(store, "a/b") == b"by botocore"
    filesystem, root = store.arrow()
    with filesystem.open_output_stream(f"{root}/a/c") as stream:
        stream.write(b"by Arrow")
    assert isinstance(filesystem, S3FileSystem) and filesystem.region == REGION and store.read("a/c") == b"by Arrow"


def test_worker_processes_follow_the_profile(lab: str) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(write_name, lab).result(120) != str(os.getpid())
    assert open_store(lab).read("from-a-worker") == b"here"
    assert run_units(write_name, [f"{lab}/units"], executor="local", workers=2)


def test_workers_elsewhere_are_given_the_address_and_no_secret(lab: str, s3_server: S3Server) -> None:
    variables = worker_environment()
    assert variables["AWS_ENDPOINT_URL"] == variables["S3_ENDPOINT_URL"] == s3_server.endpoint
    assert variables["AWS_REGION"] == REGION and variables["AWS_PROFILE"] == "lab"
    assert not [value for value in variables.values() if "of-the-file" in value]


def test_no_secret_is_shown(lab: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    store = open_store(lab)
    store.check()
    store.arrow()
    shown = caplog.text + repr(store.__dict__) + repr(S3Settings.from_environment())
    assert "secret-of-the-file" not in shown


def test_variables_come_before_the_profile(lab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere:1/")
    assert S3Settings.from_environment() == S3Settings(endpoint="http://elsewhere:1", region="us-west-2")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert S3Settings.from_environment().endpoint is None


@pytest.mark.parametrize(
    ("config", "sentence"),
    [("[profile other]\n", "profile (lab) could not be found"), ("no section\n", "config file")],
)
def test_a_profile_that_cannot_be_read_is_one_sentence(
    config: str, sentence: str, lab: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(InfraError) as caught:
        open_store(lab)
    message = str(caught.value)
    assert sentence in message and "correct AWS_PROFILE" in message and "\n" not in message
    assert "AWS_ENDPOINT_URL" not in worker_environment(), "work in a local store goes on"


def test_credentials_that_cannot_be_had_are_one_sentence(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_profile("credential_process", s3_server, tmp_path, monkeypatch)
    (tmp_path / "credentials.py").write_text("raise SystemExit('the vault is locked')")
    store = open_store(s3_server.uri)
    for touch in (store.check, store.arrow):
        with pytest.raises(InfraError, match=r"(no credentials for store|AWS settings)") as caught:
            touch()
        assert "\n" not in str(caught.value)


@pytest.mark.ray
def test_workers_of_ray_follow_the_profile(lab: str, ray_cluster: None) -> None:
    import ray

    task = ray.remote(write_name).options(runtime_env={"env_vars": worker_environment()})
    ray.get(task.remote(lab), timeout=300)
    assert open_store(lab).read("from-a-worker") == b"here"
