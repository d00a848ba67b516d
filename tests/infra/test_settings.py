"""One set of standard variables reaches every library."""

from pathlib import Path

import pytest

from infra.settings import RaySettings, S3Settings, worker_environment


@pytest.fixture(autouse=True)
def no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's own profiles."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def test_the_endpoint_fans_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000/")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    settings = S3Settings.from_environment()
    assert (
        settings.environment()["AWS_ENDPOINT_URL"] == settings.environment()["S3_ENDPOINT_URL"] == "http://minio:9000"
    )
    options = settings.arrow_options()
    assert (options["endpoint_override"], options["scheme"], options["region"]) == ("minio:9000", "http", "eu-west-1")


def test_the_finer_variables_win_as_in_the_aws_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert S3Settings.from_environment() == S3Settings(endpoint="http://s3", region="us-west-2")


def test_plain_aws_overrides_nothing() -> None:
    settings = S3Settings.from_environment()
    assert settings.endpoint is None
    assert "endpoint_override" not in settings.arrow_options() and "S3_ENDPOINT_URL" not in settings.environment()


def test_workers_get_addresses_and_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "very-secret")
    (tmp_path / "config").write_text("[profile lab]\n")
    monkeypatch.setenv("AWS_PROFILE", "lab")
    monkeypatch.setenv("JEPA_IMPORT", "my_world,my_objective")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://here:1")
    monkeypatch.setenv("SOMETHING_PRIVATE", "stays")
    variables = worker_environment(threads=2)
    assert variables["JEPA_IMPORT"] == "my_world,my_objective"
    assert variables["AWS_PROFILE"] == "lab" and variables["S3_ENDPOINT_URL"] == "http://here:1"
    assert variables["OMP_NUM_THREADS"] == "2" and "SOMETHING_PRIVATE" not in variables
    assert "very-secret" not in variables.values()
    assert "OMP_NUM_THREADS" not in worker_environment(threads=0)


def test_settings_show_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    assert "very-secret" not in repr(S3Settings.from_environment())


def test_ray_address_comes_from_the_environment() -> None:
    assert RaySettings.from_environment({"RAY_ADDRESS": "auto"}).address == "auto"
    assert RaySettings.from_environment({}).address is None
