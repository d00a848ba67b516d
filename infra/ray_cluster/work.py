"""The Ray work of a process as its record has it."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from infra.ray_cluster.local import PREFIX
from infra.work_log import RayRecord


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
