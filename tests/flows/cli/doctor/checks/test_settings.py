"""The doctor's check of settings: names, never values; AWS settings that cannot be used."""

from pathlib import Path

import pytest

from tests.flows.cli.doctor.checked import findings, statuses


def test_variables_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_STORE", "s3://bucket-of-mine")
    monkeypatch.setenv("PREFECT_API_URL", "http://user:word@host/api")
    found = findings("settings")["variables"].found
    assert "JEPA_STORE" in found and "PREFECT_API_URL" in found
    assert "mine" not in found and "word" not in found


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AWS_PROFILE": "not-there"}, "AWS_PROFILE"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "correct AWS_ENDPOINT_URL"),
        ({"AWS_REGION": "no region!"}, "correct AWS_REGION"),
    ],
)
def test_aws_settings_that_cannot_be_used_are_found(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = findings("settings")["aws"]
    assert found.status == "failed" and words in found.remedy


def test_a_store_on_s3_needs_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert statuses(findings("settings", "s3://bucket"))["aws"] == "failed"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert statuses(findings("settings", "s3://bucket"))["aws"] == "ok"
    assert statuses(findings("settings"))["aws"] == "ok"
