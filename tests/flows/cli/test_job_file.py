"""The file that `--submit` sends: complete, of one set of versions, and changed by no variable of the cluster."""

from pathlib import Path

import pytest
import yaml

from flows.cli import job_file
from flows.cli.arguments import read_arguments
from flows.cli.commands import SUMMARIES, load_command
from flows.cli.job_file import NAME, check_versions, write_job_file
from infra.version import versions
from jepa.core.errors import InputError


def read(path: Path, command: str = "collect", *more: str) -> tuple[object, str]:
    """Returns the options and the store that a job gets."""
    options, _, shared = read_arguments(
        command, SUMMARIES[command], load_command(command), ["--job", str(path / NAME), *more]
    )
    return options, shared.store


def test_a_job_has_the_values_that_were_sent_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {"episodes": "12", "store": "s3://bucket/ours", "image_size": "32"}
    write_job_file(tmp_path, sent, [])
    for name, value in (("JEPA_STORE", "s3://bucket/of-the-cluster"), ("JEPA_STEPS", "7"), ("JEPA_NOBODYS", "1")):
        monkeypatch.setenv(name, value)
    options, store = read(tmp_path)
    assert store == "s3://bucket/ours"
    fields = load_command("collect").Options(episodes=12, image_size=32)
    assert options == fields


@pytest.mark.parametrize("name", ["jepa", "python", "torch", "ray", "boto3"])
def test_other_versions_are_refused(name: str) -> None:
    sent = versions()
    check_versions(sent)
    with pytest.raises(InputError, match=rf"^the job was sent from {name} 0\.0\.9 and the cluster has "):
        check_versions(sent | {name: "0.0.9"})
    with pytest.raises(InputError, match=rf"^the job was sent from {name} unknown"):
        check_versions({package: version for package, version in sent.items() if package != name})


@pytest.mark.parametrize(
    ("name", "sent", "here", "alike"),
    [
        ("jepa", "0.1.0+g1a2b3c4d5e6f", "0.1.0+g1a2b3c4d5e6f", True),
        ("jepa", "0.1.0+g1a2b3c4d5e6f.dirty", "0.1.0+g1a2b3c4d5e6f", False),
        ("jepa", "0.1.0+g1a2b3c4d5e6f", "0.1.0+g000000000000", False),
        ("jepa", "0.1.0+g1a2b3c4d5e6f", "0.1.0", True),  # a wheel, which does not know its commit
        ("jepa", "0.1.0", "0.2.0", False),
        ("python", "3.12.12", "3.12.3", True),
        ("python", "3.11.7", "3.12.3", False),
        ("torch", "2.13.0+cpu", "2.13.0", True),
        ("torch", "2.13.0", "2.14.0", False),
    ],
)
def test_what_counts_as_the_same_version(name: str, sent: str, here: str, alike: bool) -> None:
    assert job_file._alike(name, sent, here) is alike


def test_a_folder_that_the_cluster_does_not_have_is_refused(tmp_path: Path) -> None:
    write_job_file(tmp_path, {"store": str(tmp_path / "nowhere")}, [])
    with pytest.raises(InputError, match="is a folder that the cluster's head does not have; give s3://"):
        read(tmp_path)
    write_job_file(tmp_path, {"store": str(tmp_path)}, [])
    assert read(tmp_path)[1] == str(tmp_path)


def test_another_file_and_flags_beside_it_are_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(yaml.safe_dump({"episodes": 3}))
    with pytest.raises(InputError, match=r"was not written by --submit; give its values by --config"):
        read(tmp_path)
    write_job_file(tmp_path, {"store": "s3://bucket"}, [])
    with pytest.raises(InputError, match=r"--job holds all values; leave the other flags out"):
        read(tmp_path, "collect", "--episodes", "3")


def test_its_modules_are_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_IMPORT", "")  # as it is to be afterwards
    write_job_file(tmp_path, {"store": "s3://bucket"}, ["no_such_module"])
    with pytest.raises(InputError, match="module 'no_such_module' of --import cannot be imported"):
        read(tmp_path)


def test_a_command_that_makes_nothing_alone_takes_no_such_flag() -> None:
    for name in ("report", "ls", "version", "import-hdf5"):
        with pytest.raises(InputError, match="--submit' is not known"):
            read_arguments(name, SUMMARIES[name], load_command(name), ["--submit"])
