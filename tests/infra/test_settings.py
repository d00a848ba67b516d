"""One set of standard variables reaches every library."""

import pytest

from infra.settings import RaySettings, S3Settings, worker_environment


def test_the_endpoint_fans_out() -> None:
    settings = S3Settings.from_environment({"AWS_ENDPOINT_URL": "http://minio:9000/", "AWS_REGION": "eu-west-1"})
    assert (
        settings.environment()["AWS_ENDPOINT_URL"] == settings.environment()["S3_ENDPOINT_URL"] == "http://minio:9000/"
    )
    options = settings.arrow_options()
    assert (options["endpoint_override"], options["scheme"], options["region"]) == ("minio:9000", "http", "eu-west-1")


def test_the_finer_variables_win_as_in_the_aws_tools() -> None:
    variables = {
        "AWS_ENDPOINT_URL": "http://all",
        "AWS_ENDPOINT_URL_S3": "http://s3",
        "AWS_DEFAULT_REGION": "us-west-2",
    }
    assert S3Settings.from_environment(variables) == S3Settings(endpoint="http://s3", region="us-west-2")


def test_plain_aws_overrides_nothing() -> None:
    settings = S3Settings.from_environment({})
    assert settings.endpoint is None
    assert "endpoint_override" not in settings.arrow_options() and "S3_ENDPOINT_URL" not in settings.environment()


def test_workers_get_addresses_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "very-secret")
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
