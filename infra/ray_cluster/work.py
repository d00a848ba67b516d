"""The Ray work of a process as its record has it, and submitted jobs that nobody waits for any more."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.errors import AddressError
from infra.ray_cluster.access import cluster_access, require_token
from infra.ray_cluster.connection import require_listener
from infra.ray_cluster.local import PREFIX
from infra.work_log import RayRecord

DASHBOARD = "RAY_API_SERVER_ADDRESS"
"""Where Ray's own tools look for the address of a cluster's dashboard, before they look into RAY_ADDRESS."""
ANSWER_SECONDS = 30.0


def ray_record() -> RayRecord | None:
    """Returns what this process works on, None where it is not connected to Ray."""
    ray = sys.modules.get("ray")
    if ray is None:
        return None
    # Another thread may leave the cluster at this moment.
    with suppress(Exception):
        if ray.is_initialized():
            context = ray.get_runtime_context()
            folder = Path(context.get_temp_dir()).parent
            return RayRecord(
                cluster=context.get_session_name(),
                address=context.gcs_address,
                job=context.get_job_id(),
                namespace=context.namespace,
                submission=submission_id(),
                folder=str(folder) if folder.name.startswith(PREFIX) else "",
            )
    return None


def submission_id() -> str:
    """Returns the id of the submitted job that this process is a part of, empty where it is none."""
    from ray._private.runtime_env.constants import RAY_JOB_CONFIG_JSON_ENV_VAR

    with suppress(ValueError, AttributeError):
        config = json.loads(os.environ.get(RAY_JOB_CONFIG_JSON_ENV_VAR) or "{}")
        return str(config.get("metadata", {}).get("job_submission_id") or "")
    return ""


class SubmittedJobs:
    """The submitted jobs of an existing cluster."""

    def __init__(self, address: str) -> None:
        """Takes the address of a cluster or of its dashboard, and asks which cluster that is.

        Raises:
            AddressError: none answers there, or it refuses us.
        """
        from ray.job_submission import JobSubmissionClient

        class Client(JobSubmissionClient):
            def _do_request(self, method: str, endpoint: str, **options: Any) -> Any:
                # Without a limit it would wait for ever for a server that takes a request and never answers.
                return super()._do_request(method, endpoint, timeout=ANSWER_SECONDS, **options)

        with cluster_access():
            try:
                require_listener(address)
                require_token(address)
                self._client: Any = Client(address)
                self.cluster = str(self._client._do_request("GET", "/api/version").json()["session_name"])
            except AddressError:
                raise
            except Exception as error:  # of many types
                raise AddressError(
                    f"the Ray cluster at {address!r} does not answer ({' '.join(str(error).split())[:200]}); correct "
                    f"{DASHBOARD} or RAY_ADDRESS"
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
                if "does not exist" in str(error):
                    return False
                raise AddressError(
                    f"the Ray cluster does not answer ({' '.join(str(error).split())[:200]}); try again later"
                ) from error

    def stop(self, job: str) -> None:
        """Asks the cluster to end a job."""
        with cluster_access():
            self._client.stop_job(job)
