"""What `--submit` sends: the values of a command, complete, with the versions that it was sent from."""

from pathlib import Path
from typing import Any

import yaml

from flows.cli.sources import Sources, Values, read_file
from infra.storage import open_store
from infra.storage.local import LocalStore
from infra.version import versions
from jepa.core.errors import InputError

NAME = "job.yaml"
CODE, PYTHON = "jepa", "python"


def write_job_file(folder: Path, values: Values, modules: list[str]) -> None:
    """Writes the file of a job.

    Args:
        folder: where to.
        values: of the command, `store` among them.
        modules: those of --import.
    """
    content = {"versions": versions(), "import": modules, "values": values}
    (folder / NAME).write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def read_job_file(path: str, command: str) -> tuple[Sources, list[str]]:
    """Returns the values of a job's file and its modules; neither JEPA_ variables nor defaults of this machine count.

    Raises:
        InputError: it is no such file, it was sent from other versions, or its store is a folder that is not here.
    """
    content, _ = read_file(path, command)
    sent, modules, values = (content.get(key) for key in ("versions", "import", "values"))
    if not isinstance(sent, dict) or not isinstance(modules, list) or not isinstance(values, dict):
        raise InputError(f"job file {path!r} was not written by --submit; give its values by --config")
    check_versions(sent)
    check_folder(str(values.get("store")))
    return Sources(command, file=values, path=path), [str(module) for module in modules]


def check_versions(sent: dict[str, Any]) -> None:
    """Passes where the versions that a job was sent from are those of this machine.

    Raises:
        InputError: they are not; the sentence names the first that differs.
    """
    here = versions()
    for name, version in here.items():
        theirs = str(sent.get(name, "unknown"))
        if not _alike(name, theirs, version):
            remedy = "build the cluster's image from the code that sends jobs" if name == CODE else "use one lock file"
            raise InputError(f"the job was sent from {name} {theirs} and the cluster has {version}; {remedy}")


def check_folder(store: str) -> None:
    """Passes where a job can use a store: any on S3, a folder that is there already, as one that is shared is.

    Raises:
        InputError: the folder is not here; one that the job made would be seen by nobody else.
    """
    opened = open_store(store)
    if isinstance(opened, LocalStore) and not opened.root.is_dir():
        raise InputError(
            f"store {store!r} is a folder that the cluster's head does not have; give s3://bucket/prefix, or a folder "
            "that exists on all nodes, which share it"
        )


def _alike(name: str, sent: str, here: str) -> bool:
    if name == PYTHON:
        return sent.split(".")[:2] == here.split(".")[:2]
    if name == CODE and not ("+" in sent and "+" in here):
        return sent.partition("+")[0] == here.partition("+")[0]  # a build that does not know its commit
    if name == CODE:
        return sent == here
    return sent.partition("+")[0] == here.partition("+")[0]  # torch 2.13.0+cpu and 2.13.0
