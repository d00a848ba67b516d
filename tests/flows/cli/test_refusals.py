"""Bad input: one sentence that names the field, the value and the remedy, a non-zero exit, and nothing half-written."""

import sys
from pathlib import Path

import pytest

from flows.cli.main import main
from tests.infra.storage.s3_answers import answering, s3_error

STORE_COMMANDS = [
    ["collect"],
    ["pretrain", "--dataset", "d"],
    ["evaluate", "--model", "m"],
    ["run"],
    ["demo"],
    ["report"],
]


class Refusal:
    """Runs a command that must be refused."""

    def __init__(self, capsys: pytest.CaptureFixture[str], store: Path) -> None:
        self.capsys, self.store = capsys, store

    def __call__(self, *arguments: str, store: str | None = None) -> str:
        """Returns the sentence, after checking that it is one and that nothing was written."""
        status = main([*arguments, "--store", store or str(self.store)])
        out, err = self.capsys.readouterr()
        assert status == 2, err
        assert out == "" and "Traceback" not in err
        lines = err.strip().splitlines()
        assert len(lines) == 1 and lines[0].startswith("jepa: ") and len(lines[0]) < 400
        assert not self.store.exists()
        return lines[0].removeprefix("jepa: ")


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refusal:
    return Refusal(capsys, tmp_path / "store")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["colect"], ["command 'colect'", "collect"]),
        (["collect", "--epsiodes", "3"], ["'--epsiodes'", "did you mean --episodes?"]),
        (["collect", "--episodes", "many"], ["episodes is 'many'", "--episodes", "valid integer"]),
        (["collect", "--episodes", "-5"], ["episodes is '-5'", "greater than 0"]),
        (["collect", "--actors", "0"], ["actors is '0'", "greater than 0"]),
        (["collect", "--executor", "slurm"], ["executor is 'slurm'", "'ray'"]),
        (["collect", "--world", "atari"], ["world 'atari' is not known", "two_room"]),
        (["collect", "--format", "zip"], ["'zip'", "mds"]),
        (["collect", "--codec", "gif"], ["'gif'", "zstd"]),
        (["collect", "--test-share", "0.99"], ["test_share 0.99", "below 1"]),
        (["pretrain", "--name", "m"], ["dataset is missing", "--dataset"]),
        (["pretrain", "--dataset", "d", "--name", "m"], ["dataset 'd' is not in store", "collect it"]),
        (["pretrain", "--dataset", "d", "--name", "../m"], ["'../m'", "letters"]),
        (["pretrain", "--dataset", "d", "--name", "m", "--objective", "gan"], ["objective 'gan'", "lewm"]),
        (["pretrain", "--dataset", "d", "--name", "m", "--steps", "-1"], ["steps is '-1'", "greater than 0"]),
        (["evaluate", "--model", "m"], ["model 'm' is not in store", "pretrain it"]),
        (["evaluate", "--model", "m", "--kinds", "smell"], ["'smell'", "probing"]),
        (["report"], ["store", "no results"]),
        (["verify", "d9"], ["dataset 'd9' is not in store", "collect it"]),
        (["verify", "--version", "2"], ["version 2", "name the dataset"]),
        (["run", "--world", "atari"], ["world 'atari' is not known"]),
        (["run", "--preset", "huge"], ["preset 'huge' is not known", "demo"]),
        (["run", "--collect.episodes", "-1"], ["collect.episodes is '-1'", "--collect.episodes", "greater than 0"]),
        (
            ["run", "--preset", "smoke", "--pretrain.batch-size", "1"],
            ["pretrain.batch_size 1", "pretrain.workers 2"],
        ),
        (["collect", "--seed", str(2**63)], ["seed is '9223372036854775808 (over 63 bits)'", "--seed"]),
        (
            ["collect", "--episodes", "1000000000000"],
            ["episodes is '1000000000000' (from flag --episodes)", "10000000"],
        ),
        (["collect", "--actors", "1000000"], ["actors is '1000000'", "4096"]),
        (["collect", "--cpus", "inf"], ["cpus is 'inf'", "finite number"]),
        (["collect", "--stall-seconds", "nan"], ["stall_seconds is 'nan'", "finite number"]),
        (["pretrain", "--dataset", "d", "--name", "m", "--seed", "9" * 5000], ["seed is '999", "--seed"]),
        (["pretrain", "--dataset", "d", "--name", "m", "--learning-rate", "inf"], ["learning_rate", "finite number"]),
        (
            ["pretrain", "--dataset", "d", "--name", "m", "--loader.threads", "1000000"],
            ["threads is '1000000'", "1024"],
        ),
        (["pretrain", "--dataset", "d", "--name", "m", "--train-options", "horizon=1000000"], ["horizon", "10000"]),
        (["evaluate", "--model", "m", "--workers", "1000000"], ["workers is '1000000'", "4096"]),
        (["pretrain", "--dataset", "d", "--name", "m", "--trackers", "[" * 3000], ["--trackers", "nested deeper"]),
        (["demo", "--seed", "-1"], ["seed is '-1'", "greater than or equal to 0"]),
    ],
)
def test_a_wrong_input(arguments: list[str], parts: list[str], refusal: Refusal) -> None:
    sentence = refusal(*arguments) if arguments != ["colect"] else refusal("colect")
    for part in parts:
        assert part in sentence


def test_an_unknown_key_in_a_file(refusal: Refusal, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("world: two_room\ncollect: {episods: 3}\n")
    sentence = refusal("run", "--preset", "smoke", "--config", str(file))
    assert "'collect.episods'" in sentence and "did you mean 'episodes'?" in sentence and str(file) in sentence


def test_a_field_that_follows_from_others(refusal: Refusal, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("collect: {world: pusht}\n")
    assert "collect.world follows from" in refusal("run", "--config", str(file))


@pytest.mark.parametrize("command", STORE_COMMANDS, ids=lambda command: command[0])
def test_an_unreachable_store(command: list[str], refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    arguments = [*command, "--name", "m"] if command[0] == "pretrain" else command
    sentence = refusal(*arguments, store="s3://bucket/prefix")
    assert "s3://bucket/prefix" in sentence and "127.0.0.1:9" in sentence and "AWS_ENDPOINT_URL" in sentence


def test_a_wrong_credential(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    with answering(403, s3_error("InvalidAccessKeyId")) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        sentence = refusal("collect", store="s3://bucket")
    assert "refuses our credentials" in sentence and "AWS_ACCESS_KEY_ID" in sentence and "very-secret" not in sentence


@pytest.mark.s3
def test_a_missing_bucket(refusal: Refusal, s3: str) -> None:
    assert "bucket 'nobody' does not exist" in refusal("collect", store="s3://nobody/x")


def test_an_unwritable_store(refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert "is not a folder" in refusal("collect", store=str(tmp_path / "file" / "runs"))


def test_a_store_of_another_kind(refusal: Refusal) -> None:
    assert "s3://bucket/prefix" in refusal("collect", store="gs://bucket")


@pytest.mark.parametrize("command", [["collect"], ["run", "--preset", "smoke"]], ids=["collect", "run"])
def test_a_world_that_is_not_installed(command: list[str], refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "stable_worldmodel"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "stable_worldmodel", None)
    sentence = refusal(*command, "--world", "pusht")
    assert "pusht" in sentence and "install" in sentence and "stable-worldmodel" in sentence


def test_no_prefect_server_at_the_address(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    sentence = refusal("run", "--preset", "smoke")
    assert "http://127.0.0.1:9/api" in sentence and "unset it" in sentence
