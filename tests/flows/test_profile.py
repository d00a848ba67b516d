"""A profile of AWS and no other variable: every command that touches a store reaches the profile's server."""

import uuid
from pathlib import Path

import pytest
import torch

from flows.cli.main import main
from infra.storage.s3_server import S3Server
from tests.flows.cli.commands.small import LOCAL
from tests.infra.storage.profiles import use_profile
from tests.jepa.models.test_import_lewm import theirs
from tests.pipelines.collect.files import episodes_file

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
        ["import-hdf5", episodes_file(tmp_path / "a.h5"), "--name", "d1", *LOCAL],
        ["verify"],
    ]
    for command in commands:
        assert main([*command, *store]) == 0, command
    out = capsys.readouterr()
    assert "effective rank" in out.out and "secret-of-the-file" not in out.out + out.err
    assert "dataset d1: version 1" in out.out and not list(tmp_path.glob("s3:*"))


def test_weights_come_from_and_go_to_the_server_of_the_profile(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_profile("endpoint_url", s3_server, tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    torch.save(theirs(28, 7, 32, 16, (1, 1), (2, 3)).state_dict(), "released.pt")
    store = ["--store", f"{s3_server.uri}/{uuid.uuid4().hex[:8]}"]
    frames = ["--episodes", "20", "--steps", "6", "--image-size", "28"]
    for command in (
        ["collect", "--name", "d0", *frames, *LOCAL],
        ["import-lewm", "released.pt", "--name", "m0", "--dataset", "d0", "--head-size", "16"],
        ["import-lewm", "back.pt", "--name", "m0", "--export"],
        ["verify", "m0"],
    ):
        assert main([*command, *store]) == 0, command
    before, after = (torch.load(file, weights_only=True) for file in ("released.pt", "back.pt"))
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
