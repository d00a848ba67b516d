"""Jobs of a Ray cluster, by its Jobs API: sent, followed by their log, found again by their id, stopped."""

import asyncio
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import ray
import requests
from ray.dashboard.modules.job.pydantic_models import JobDetails
from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient

from infra.errors import AddressError, InfraError
from infra.ray_cluster.access import cluster_access, require_token
from infra.ray_cluster.connection import require_listener

ADDRESS = "RAY_API_SERVER_ADDRESS"
"""Where Ray's own tools look for the address of a cluster's dashboard, which serves the Jobs API."""
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 60.0
LOST_SECONDS = 60.0
"""How long a cluster that was reached may be silent before its job is given up: a port-forward breaks and returns."""
LOOK_SECONDS = 0.5
START_SECONDS = 120.0
"""How long a cluster has to become ready for jobs, whose dashboard answers first."""
NOT_YET = "No available agent to submit job"
"""Ray's words until then."""
UNKNOWN = "does not exist"
"""Ray's words for a job that a cluster does not know."""
QUIET_SECONDS = 30.0
"""After how long without a line it is looked whether the cluster still answers."""

for _name in (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
):
    logging.getLogger(_name).setLevel(logging.WARNING)  # they set themselves to INFO, and report each upload

SILENCE = (OSError, requests.exceptions.RequestException, aiohttp.ClientError, TimeoutError)
"""What is raised where nobody answers, or what answers is no Ray."""


@dataclass(frozen=True)
class JobRequest:
    """What a cluster is to run. Everybody who reaches its dashboard reads all of it, so nothing of it is a secret."""

    name: str
    """of the job; the first time it is sent it gets this id, later `<name>-2` and so on"""
    entrypoint: str
    folder: Path
    """what the job finds in its working directory"""
    variables: Mapping[str, str]
    metadata: Mapping[str, str]


class JobsApi:
    """The Jobs API of one cluster."""

    def __init__(self, address: str) -> None:
        self.address = address
        with self._words():
            self._client = _Client(address)
            self.ray_version = self._client.version()

    def latest(self, name: str) -> JobDetails | None:
        """Returns the job that was sent last under a name, None where none was."""
        numbered = {_number(job.submission_id, name): job for job in self._jobs()}
        numbered.pop(0, None)
        return numbered[max(numbered)] if numbered else None

    def submit(self, request: JobRequest) -> str:
        """Sends a job, under the next id of its name, which is returned."""
        number = 1 + max((_number(job.submission_id, request.name) for job in self._jobs()), default=0)
        deadline = time.monotonic() + START_SECONDS
        with self._words():
            while True:
                try:
                    return self._client.submit_job(
                        entrypoint=request.entrypoint,
                        submission_id=request.name if number == 1 else f"{request.name}-{number}",
                        runtime_env={"working_dir": str(request.folder), "env_vars": dict(request.variables)},
                        metadata=dict(request.metadata),
                    )
                except RuntimeError as error:
                    if NOT_YET not in str(error) or time.monotonic() > deadline:
                        raise
                    time.sleep(LOOK_SECONDS)

    def follow(self, job: str, show: Callable[[str], None]) -> JobDetails:
        """Hands the log of a job, from its beginning, to `show`, and returns how the job ended.

        Raises:
            InfraError: the cluster is lost, or is another one that does not know the job.
        """
        shown, silent_since = _Shown(show), None
        while True:
            # A connection that broke: whether the cluster is there, comes next.
            with suppress(RuntimeError, AuthenticationError, *SILENCE):
                tail = self._tail(job, shown)
                try:
                    asyncio.run(tail)
                finally:
                    tail.close()  # or Python would complain of one that an interruption kept from beginning
            try:
                details = self._client.get_job_info(job)
                if details.status.is_terminal():
                    return details
                silent_since = None
            except AuthenticationError as error:
                raise InfraError(self._refusal(error)) from error
            except (RuntimeError, *SILENCE) as error:  # RuntimeError: whatever else than the answer comes, be it a 503
                if UNKNOWN in str(error):
                    raise InfraError(
                        f"the Ray cluster at {self.address!r} was started again and does not know job {job!r}; the "
                        "same command goes on there from what is done"
                    ) from error
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > LOST_SECONDS:
                    raise InfraError(
                        f"the Ray cluster at {self.address!r} has not answered for {LOST_SECONDS:g} s, and what became "
                        f"of job {job!r} is not known; the same command follows it again, or goes on on a new cluster"
                    ) from error
            time.sleep(LOOK_SECONDS)

    async def _tail(self, job: str, shown: "_Shown") -> None:
        """Shows the log until it ends, or the job has; raises where the cluster does not answer any more."""
        shown.rewind()
        texts = self._client.tail_job_logs(job)
        while True:
            coming = asyncio.ensure_future(anext(texts, None))
            while not (await asyncio.wait({coming}, timeout=QUIET_SECONDS))[0]:
                # A connection whose other end is gone says nothing, as a job does that has nothing to say.
                if (await asyncio.to_thread(self._client.get_job_info, job)).status.is_terminal():
                    coming.cancel()
                    return
            text = coming.result()
            if text is None:
                return
            shown.take(text)

    def _jobs(self) -> list[JobDetails]:
        with self._words():
            return self._client.list_jobs()

    @contextmanager
    def _words(self) -> Iterator[None]:
        """Raises what goes wrong with a request as AddressError, in one sentence."""
        try:
            yield
        except AuthenticationError as error:
            raise AddressError(self._refusal(error)) from error
        except (requests.exceptions.HTTPError, requests.exceptions.JSONDecodeError, KeyError) as error:
            raise AddressError(
                f"what answers at {self.address!r} is no Ray dashboard; correct {ADDRESS}, e.g. to "
                "http://127.0.0.1:8265"
            ) from error
        except SILENCE as error:
            raise AddressError(
                f"no Ray cluster answers at {self.address!r}; correct {ADDRESS}, or make its dashboard reachable, e.g. "
                "by `kubectl port-forward`"
            ) from error
        except (RuntimeError, ValueError) as error:  # Ray's own, with the server's answer
            reason = str(error).strip().splitlines()[-1][:300]
            raise AddressError(f"the Ray cluster at {self.address!r} does not take the job: {reason}") from error

    def _refusal(self, error: Exception) -> str:
        reason = str(error).partition("\n")[0].rstrip(". ")
        return (
            f"the Ray cluster at {self.address!r} refuses our token ({reason}); set RAY_AUTH_MODE, and RAY_AUTH_TOKEN "
            "or RAY_AUTH_TOKEN_PATH, as the cluster has them"
        )


class SubmittedJobs:
    """The jobs of an existing cluster that nobody may wait for any more, whoever sent them."""

    def __init__(self, address: str) -> None:
        """Takes the address of a cluster or of its dashboard, and asks which cluster that is.

        Raises:
            AddressError: none answers there, or it refuses us.
        """
        with cluster_access():
            try:
                require_listener(address)
                require_token(address)
                self._client = _Client(address)
                self.cluster = self._client.session()
            except AddressError:
                raise
            except Exception as error:  # of many types
                raise AddressError(
                    f"the Ray cluster at {address!r} does not answer ({' '.join(str(error).split())[:200]}); correct "
                    f"{ADDRESS} or RAY_ADDRESS"
                ) from error

    def runs(self, job: str) -> bool:
        """Returns whether a job is there and has not ended.

        Raises:
            AddressError: the cluster does not say.
        """
        with cluster_access():
            try:
                return not self._client.get_job_status(job).is_terminal()
            except Exception as error:  # of many types
                if UNKNOWN in str(error):
                    return False
                raise AddressError(
                    f"the Ray cluster does not answer ({' '.join(str(error).split())[:200]}); try again later"
                ) from error

    def stop(self, job: str) -> None:
        """Asks the cluster to end a job."""
        with cluster_access():
            self._client.stop_job(job)


@contextmanager
def jobs_api() -> Iterator[JobsApi]:
    """Opens the Jobs API of the cluster that the environment names, with the token that Ray finds there.

    Raises:
        AddressError: no cluster is named, none answers, it refuses us, or it runs another Ray.
    """
    address = jobs_address(os.environ)
    with cluster_access():
        require_token(address)
        api = JobsApi(address)
        if api.ray_version != ray.__version__:
            raise AddressError(
                f"the Ray cluster at {address!r} runs Ray {api.ray_version} and this is {ray.__version__}; install "
                "the cluster's version, or start a cluster from an image of this one"
            )
        yield api


def jobs_address(environment: Mapping[str, str]) -> str:
    """Returns the address of the dashboard that RAY_API_SERVER_ADDRESS, or an http address in RAY_ADDRESS, names.

    Raises:
        AddressError: there is none, or it is no http address, or holds a password.
    """
    name = next((name for name in (ADDRESS, "RAY_ADDRESS") if environment.get(name)), None)
    if name is None:
        raise AddressError(
            f"no cluster is named to submit to; set {ADDRESS} to the address of its dashboard, e.g. "
            "http://127.0.0.1:8265"
        )
    address = environment[name].rstrip("/")
    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise AddressError(f"{name} holds a name or a password; the cluster takes a token, see RAY_AUTH_TOKEN_PATH")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise AddressError(
            f"{name} is {address!r}, which is no address of a dashboard; set {ADDRESS} to it, e.g. to "
            "http://127.0.0.1:8265"
        )
    return address


class _Client(JobSubmissionClient):
    """Ray's client, which would wait for ever for a server that takes a request and never answers."""

    def _do_request(self, method: str, endpoint: str, **options: Any) -> requests.Response:
        return super()._do_request(method, endpoint, timeout=(CONNECT_SECONDS, ANSWER_SECONDS), **options)

    def _check_connection_and_version(self, *checked: Any, **also: Any) -> None:
        """Asks nothing: who uses it asks for the version, once."""

    def version(self) -> str:
        return str(self._about()["ray_version"])

    def session(self) -> str:
        """Returns what tells the cluster from another one, or from itself before a restart of its head."""
        return str(self._about()["session_name"])

    def _about(self) -> Any:
        answer = self._do_request("GET", "/api/version")
        answer.raise_for_status()
        return answer.json()


class _Shown:
    """A log that may be read from its beginning again, of which each part is shown once."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show, self._characters, self._at = show, 0, 0

    def rewind(self) -> None:
        self._at = 0

    def take(self, text: str) -> None:
        new = text[max(0, self._characters - self._at) :]
        self._at += len(text)
        if new:
            self._characters = self._at
            self._show(new)


def _number(job: str | None, name: str) -> int:
    """Returns the how-manieth of its name a job is, 0 where it has another name."""
    match = re.fullmatch(rf"{re.escape(name)}(?:-(\d+))?", job or "")
    return int(match[1] or 1) if match else 0


__all__ = ["ADDRESS", "JobDetails", "JobRequest", "JobStatus", "JobsApi", "SubmittedJobs", "jobs_address", "jobs_api"]
