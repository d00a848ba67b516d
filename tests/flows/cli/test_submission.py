"""`--submit` on a real cluster with a token: a job is sent once, followed to its end, and holds no secret."""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli import submission
from flows.cli.main import main
from infra.storage import open_store
from infra.storage.s3_server import S3Server
from jepa.core.errors import InputError
from pipelines.store import Dataset
from tests.chaos.raylets import Control, raylets
from tests.conftest import ROOT
from tests.flows.cli.plugin import write_plugin
from tests.flows.jobs import command, environment, finished

pytestmark = pytest.mark.usefixtures("ray_looks_again")

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "very/secret+key/just/for/this/test/0002",
    "AWS_SESSION_TOKEN": "session-token-just-for-this-test",
    "WANDB_API_KEY": "tracker-key-just-for-this-test",
    "PREFECT_API_AUTH_STRING": "prefect-login-just-for-this-test",
}
SMALL = ["--episodes", "8", "--steps", "10", "--image-size", "16", "--episodes-per-shard", "4", "--actors", "1"]


def lone_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """Returns what a refused command said, after checking that it is one sentence."""
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("jepa: ") and err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "store is 'runs/', a folder below this one, which a job on the cluster does not have; give --store s3://"),
        (["--store", "s3"], "store is 's3' (from flag --store), a folder below this one"),
        (["--store", "s3://bucket"], "no cluster is named to submit to; set RAY_API_SERVER_ADDRESS"),
        (["--store", "/shared", "--world", "atari"], "world 'atari' is not known"),
    ],
)
def test_what_cannot_be_submitted_is_said_before_a_cluster_is_asked(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    assert main(["collect", "--submit", *arguments]) == 2
    assert words in lone_sentence(capsys)


def test_a_job_gets_addresses_and_never_a_key_or_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    # A test before this one may have connected this process to Ray and to S3.
    for name in (*submission.CARRIED, *(name for name in os.environ if name.startswith("AWS_"))):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDjustforthistest02")
    monkeypatch.setenv("WANDB_PROJECT", "worlds")
    assert submission._variables("/shared") == {"WANDB_PROJECT": "worlds"}
    assert submission._variables("s3://bucket") == {
        "WANDB_PROJECT": "worlds"
    }  # AWS itself, in the cluster's own region
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000")
    assert submission._variables("s3://bucket") == {
        "WANDB_PROJECT": "worlds",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://minio:9000",
        "S3_ENDPOINT_URL": "http://minio:9000",
    }
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:hunter2@mlflow/")
    with pytest.raises(InputError, match=r"^MLFLOW_TRACKING_URI holds a name or a password") as raised:
        submission._variables("/shared")
    assert "hunter2" not in str(raised.value)


@pytest.fixture(scope="module")
def cluster(s3_server: S3Server) -> Iterator[Control]:
    """A head without a core, which asks for a token and has the S3 server's key."""
    with raylets(0, **s3_server.environment) as control:
        yield control


def submitted(home: Path, *arguments: str, **variables: str) -> tuple["subprocess.Popen[str]", str]:
    """Starts a command with --submit, and returns it as soon as it follows a job, and what it has said until then."""
    process = subprocess.Popen(
        command(*arguments, "--submit"),
        cwd=home,
        env=environment(home, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "its log" in line:
            return process, said
    raise AssertionError(f"no job: {said}")


@pytest.mark.long
@pytest.mark.ray
@pytest.mark.s3
def test_a_job_is_sent_once_and_followed_again_after_ctrl_c(
    cluster: Control, s3: str, s3_server: S3Server, tmp_path: Path
) -> None:
    module = write_plugin(tmp_path / "elsewhere")  # which the cluster does not have
    collect = ["collect", "--name", "sent", "--import", module, "--world", "mirrored_room", *SMALL, "--store", s3]
    path = os.pathsep.join((str(ROOT), str(tmp_path / "elsewhere")))
    variables = cluster.variables | SECRETS | {"PYTHONPATH": path}
    first, sent = submitted(tmp_path, *collect, **variables)  # and waits for a core
    job = next(word for word in sent.split() if word.startswith("jepa-collect-sent-"))
    os.killpg(first.pid, signal.SIGINT)
    _, complaints = first.communicate(timeout=120)
    stop = f"`ray job stop --address {cluster.dashboard} {job}` ends it"
    assert first.returncode == 130, complaints
    assert f"job {job} goes on on the cluster; the same command follows it again, and {stop}\n" in complaints
    other = finished([*collect, "--seed", "5", "--submit"], tmp_path, 300, **variables)
    assert other.returncode == 2 and f"job {job} makes the same name on the cluster with other values" in other.stderr
    second, again = submitted(tmp_path, *collect, **variables)
    cluster.do("add")
    answer, log = second.communicate(timeout=300)
    assert second.returncode == 0, log
    assert f"job {job} runs on the cluster already" in again, (description(cluster, job), job_log(cluster, job))
    assert answer == f"job {job} is done\n"
    # The cluster's own key, of its environment, wrote it: the one that is set here is another.
    assert "dataset sent: 8 episodes" in log and Dataset(open_store(s3), "sent").world == "mirrored_room"
    described = description(cluster, job)
    metadata = described["metadata"]
    assert (metadata["command"], metadata["dataset"], metadata["store"]) == ("collect", "sent", s3)
    assert described["entrypoint"] == "jepa collect --job job.yaml"
    secrets = [*SECRETS.values(), s3_server.environment["AWS_SECRET_ACCESS_KEY"], cluster.token]
    for text in (str(described), complaints, log, job_log(cluster, job)):
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.s3
def test_a_job_that_fails_gives_its_exit_status_and_a_wrong_token_a_sentence(
    cluster: Control, s3: str, tmp_path: Path
) -> None:
    pretrain = ["pretrain", "--dataset", "nowhere", "--name", "sent", "--store", s3, "--submit"]
    failed = finished(pretrain, tmp_path, 300, **cluster.variables)
    assert failed.returncode == 2 and failed.stdout == ""
    lines = failed.stderr.splitlines()
    assert any(line.startswith(f"jepa: dataset 'nowhere' is not in store '{s3}'") for line in lines), lines
    assert lines[-1].startswith("jepa: job jepa-pretrain-sent-")
    assert lines[-1].endswith(" failed with exit status 2; its log above says why")
    refused = finished(pretrain, tmp_path, 300, **cluster.variables | {"RAY_AUTH_TOKEN": "0" * 64})
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert refused.stderr.startswith(
        f"jepa: the Ray cluster at '{cluster.dashboard}' refuses our token (Authentication failed"
    )


def description(cluster: Control, job: str) -> Any:
    """Returns all that the dashboard says of a job."""
    return json.loads(asked(cluster, f"/api/jobs/{job}"))


def job_log(cluster: Control, job: str) -> str:
    return asked(cluster, f"/api/jobs/{job}/logs")


def asked(cluster: Control, path: str) -> str:
    request = urllib.request.Request(cluster.dashboard + path, headers={"Authorization": f"Bearer {cluster.token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())
