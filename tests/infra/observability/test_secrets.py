"""What is shown holds no credential of this process, in whatever form a library writes it."""

from pathlib import Path

import pytest

from infra.observability.secrets import without_secrets


@pytest.mark.parametrize(
    ("variable", "value", "text", "shown"),
    [
        ("AWS_SECRET_ACCESS_KEY", "very/secret+key", "signed by very/secret+key", "signed by ***"),
        ("PREFECT_API_AUTH_STRING", "me:hunter22", "sent me:hunter22, then hunter22", "sent ***, then ***"),
        ("WANDB_API_KEY", 'with"quote', '{"key": "with"quote"}', '{"key": "***"}'),
        ("DB_PASSWORD", 'with"quote', r'{"key": "with\"quote"}', '{"key": "***"}'),
        ("HF_TOKEN", "a", "a short one is a part of words", "a short one is a part of words"),
        ("NAME", "innocent", "an innocent name", "an innocent name"),
        ("NAME", "x", "https://token@host/a, redis://:pw@host, a@b", "https://***@host/a, redis://***@host, a@b"),
    ],
)
def test_values_of_credentials_and_user_infos_are_hidden(
    variable: str, value: str, text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert without_secrets(text) == shown


def test_a_variable_that_names_a_file_hides_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("t")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    assert without_secrets(f"read {file}") == f"read {file}"
