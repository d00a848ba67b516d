"""A profile of AWS and no other variable: every command that touches a store reaches the profile's server."""

import uuid
from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage.s3_server import S3Server
from tests.flows.cli.commands.small import LOCAL
from tests.infra.storage.profiles import use_profile

pytestmark = [pytest.mark.s3, pytest.mark.slow]

COLLECT = ["collect", "--name", "d0", "--episodes", "40", "--steps", "40", "--image-size", "32", *LOCAL]
COLLECT += ["--episodes-per-shard", "8", "--test-share", "0.2"]
TRAIN = ["--dataset", "d0", "--recipe", "smoke", "--steps", "20", "--executor", "local", "--workers", "1"]
EVALUATE = ["evaluate", "--model", "m0", "--protocol", "tiny-v1", "--kinds", "latent", "--executor", "local"]


@pytest.mark.parametrize("form", ["endpoint_url", "services"])
def test_every_command_reaches_the_server_of_the_profile(
    form: str,
    s3_server: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_profile(form, s3_server, tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    store = ["--store", f"{s3_server.uri}/{uuid.uuid4().hex[:8]}"]
    commands = [
        COLLECT,
        ["verify", "d0"],
        ["pretrain", "--name", "m0", *TRAIN],
        ["pretrain", "--name", "m1", *TRAIN, "--loader.kind", "streaming"],
        [*EVALUATE, "--run", "r0"],
        ["report", "--run", "r0"],
        ["status"],
    ]
    for command in commands:
        assert main([*command, *store]) == 0, command
    out = capsys.readouterr()
    assert "effective rank" in out.out and "secret-of-the-file" not in out.out + out.err
    assert not list(tmp_path.glob("s3:*"))
