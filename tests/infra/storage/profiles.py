"""Profiles of AWS as users have them: everything about the server in a file, and no variable but the profile's name."""

import sys
from pathlib import Path

import pytest

from infra.storage.s3_server import S3Server

REGION = "eu-central-1"
KEYS = "aws_access_key_id = key-of-the-file\naws_secret_access_key = secret-of-the-file\n"
PROCESS = (
    'import json; print(json.dumps({"Version": 1, "AccessKeyId": "key-of-the-file",'
    ' "SecretAccessKey": "secret-of-the-file"}))'
)
FORMS = ("endpoint_url", "services", "credential_process", "role")


def use_profile(form: str, server: S3Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes a profile `lab` in one of the forms and names it; no other variable of AWS leads anywhere."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "S3_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    script = folder / "credentials.py"
    script.write_text(PROCESS)
    config, keys = f"[profile lab]\nregion = {REGION}\n", f"[lab]\n{KEYS}"
    if form == "services":
        config += f"services = here\n[services here]\ns3 =\n  endpoint_url = {server.endpoint}\n"
    else:
        config += f"endpoint_url = {server.endpoint}\n"
    if form == "credential_process":
        config, keys = config + f"credential_process = {sys.executable} {script}\n", ""
    if form == "role":
        config += "role_arn = arn:aws:iam::123456789012:role/trainer\nsource_profile = person\n"
        keys = f"[person]\n{KEYS}"
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(keys)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
