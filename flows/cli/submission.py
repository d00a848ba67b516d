"""`--submit`: a command as a job of an existing Ray cluster, followed from here."""

import hashlib
import json
import os
import shlex
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.cli.commands.context import Context
from flows.cli.job_file import NAME, write_job_file
from flows.cli.sources import Values
from flows.cli.terminal import pass_on, say
from infra.errors import Interrupted
from infra.progress import announce
from infra.ray_cluster.plugin_modules import plugin_paths
from infra.settings import TRACKER_VARIABLES, S3Settings
from infra.storage import open_store
from infra.storage.aws import DEFAULT_REGION
from infra.storage.local import LocalStore
from infra.version import code_version
from jepa.core.errors import InputError
from jepa.core.registries.plugins import requested_plugins

if TYPE_CHECKING:
    from infra.ray_cluster.jobs import JobDetails, JobRequest, JobsApi

CARRIED = (*TRACKER_VARIABLES, "RAY_AUTH_MODE", "JEPA_DEBUG")
"""Variables that a job gets from here, besides where S3 is. Never a key, and nothing that names a file or a profile of
this machine: the cluster has a credential chain of its own."""
FAILED, INTERRUPTED = 1, 128 + signal.SIGINT


def submit(command: str, made: dict[str, str], context: Context) -> int:
    """Sends a command to the cluster, or finds the job that runs it already, and follows it to its end.

    Args:
        command: its name.
        made: what it makes and from what, by kind; the job is named after the first.
        context: of the command, with all its values.

    Returns:
        The exit status of the job.
    """
    store = _store_everywhere(context)
    values = context.sources.merged() | {"store": store}
    with tempfile.TemporaryDirectory(prefix="jepa-job-") as folder:
        request = _request(command, made, values, store, Path(folder))
        # Ray is imported once it is known what to send: it takes a second.
        from infra.ray_cluster.jobs import jobs_api

        with jobs_api() as api:
            context.working = True
            running = _running(api, request)
            job = running or api.submit(request)
            try:
                what = "runs on the cluster already; its log from the beginning" if running else "is sent; its log"
                announce(f"job {job} {what}:")
                ended = api.follow(job, pass_on)
            except KeyboardInterrupt:
                raise Interrupted(
                    f"job {job} goes on on the cluster; the same command follows it again, and `ray job stop "
                    f"--address {api.address} {job}` ends it"
                ) from None
            return _end(api.address, job, ended, context)


def _store_everywhere(context: Context) -> str:
    """Returns the store's address as the cluster may use it.

    Raises:
        InputError: it is a folder that a job on another machine would look for elsewhere.
    """
    store = open_store(context.store_uri)
    if not isinstance(store, LocalStore):
        return context.store_uri
    if not Path(context.store_uri).expanduser().is_absolute():
        origin = context.sources.origin(("store",))
        raise InputError(
            f"store is {context.store_uri!r}{origin}, a folder below this one, which a job on the cluster does not "
            "have; give --store s3://bucket/prefix, or the full path of a folder that all nodes share"
        )
    return store.uri


def _request(command: str, made: dict[str, str], values: Values, store: str, folder: Path) -> "JobRequest":
    from infra.ray_cluster.jobs import JobRequest

    modules = requested_plugins()
    write_job_file(folder, values, modules)
    for path in map(Path, plugin_paths()):
        if path.is_dir():
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(path, folder)
    about = {"command": command, "store": store, "version": code_version()} | made
    return JobRequest(
        name=f"jepa-{command}-{next(iter(made.values()))}-{_digest(store)[:6]}",
        entrypoint=shlex.join(["jepa", command, "--job", NAME]),
        folder=folder,
        variables=_variables(store),
        metadata=about | {"values": _digest(json.dumps([values, modules], sort_keys=True, default=str))},
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _variables(store: str) -> dict[str, str]:
    """Returns what the job gets of this environment; nothing of it is a secret, for it stands in Ray's dashboard.

    Raises:
        InputError: an address holds a password.
    """
    carried = {name: os.environ[name] for name in CARRIED if os.environ.get(name)}
    if store.startswith("s3://"):
        settings = S3Settings.from_environment()
        regional = settings.region != DEFAULT_REGION or "AWS_REGION" in os.environ
        ours = settings.environment()
        carried |= {name: value for name, value in ours.items() if regional or "REGION" not in name}
    for name, value in carried.items():
        if "@" in urlsplit(value).netloc:
            raise InputError(
                f"{name} holds a name or a password, which everybody would read in the job's description; set the "
                "address alone here, and the password in the environment of the cluster"
            )
    return carried


def _running(api: "JobsApi", request: "JobRequest") -> str | None:
    """Returns the job that makes the same already, None where none does.

    Raises:
        InputError: one makes something else of the same name.
    """
    latest = api.latest(request.name)
    if latest is None or latest.status.is_terminal():
        return None
    job = str(latest.submission_id)
    if (latest.metadata or {}).get("values") != request.metadata["values"]:
        raise InputError(
            f"job {job} makes the same name on the cluster with other values; wait for its end, or end it by "
            f"`ray job stop --address {api.address} {job}`"
        )
    return job


def _end(address: str, job: str, ended: "JobDetails", context: Context) -> int:
    """Reports how a job ended, and returns its exit status."""
    status = ended.driver_exit_code
    if ended.status == "SUCCEEDED":
        context.show({"job": job, "status": "SUCCEEDED", "cluster": address}, [f"job {job} is done"])
        return 0
    if ended.status == "STOPPED":
        say(f"jepa: job {job} was stopped; the same command goes on from what is done")
        return INTERRUPTED
    if status is not None and status > 0:
        say(f"jepa: job {job} failed with exit status {status}; its log above says why")
        return status
    reason = " ".join((ended.message or "").split())[:300]
    say(f"jepa: job {job} was ended by the cluster ({reason}); the same command goes on from what is done")
    return FAILED
