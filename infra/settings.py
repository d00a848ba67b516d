"""Settings of the surroundings, read from the standard variables and fanned out to every library that needs them."""

import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from infra.errors import InfraError
from infra.storage.aws import DEFAULT_REGION, address_book

AWS_VARIABLES = (
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CA_BUNDLE",
    "AWS_EC2_METADATA_DISABLED",
)
"""Where workers find their credentials.

The keys themselves are not among them, for Ray writes a runtime environment into its logs: workers of a local Ray
inherit the keys, those of an existing cluster have a credential chain of their own.
"""

TRACKER_VARIABLES = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "WANDB_BASE_URL",
    "WANDB_ENTITY",
    "WANDB_PROJECT",
    "WANDB_MODE",
)
"""Where workers show figures; keys and passwords come to them as those of AWS do."""

PLUGIN_VARIABLE = "JEPA_IMPORT"
"""Names the modules that every process of ours imports for what they register: worlds, objectives and the like."""

LOG_VARIABLE = "JEPA_LOG"
"""How every process of ours logs: `json`, `pretty` or `auto`; see `infra/observability/event_log.py`."""

PASSED_ON = (*AWS_VARIABLES, *TRACKER_VARIABLES, PLUGIN_VARIABLE, LOG_VARIABLE)

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class S3Settings(BaseModel):
    """Where S3 is. Credentials are no part of it: they are handed on where a client is made, and never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    endpoint: str | None = None
    """Address of an S3-compatible server; none means AWS itself."""
    region: str = DEFAULT_REGION
    """Region that requests are signed for."""

    @classmethod
    def from_environment(cls) -> "S3Settings":
        """Returns what the AWS variables, and the profile that they name, say.

        The order is that of the AWS tools: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's services section, its
        `endpoint_url`; AWS_REGION, AWS_DEFAULT_REGION, the profile's `region`.

        Raises:
            InfraError: the profile does not exist, or a file cannot be understood.
        """
        book = address_book()
        return cls(endpoint=book.endpoint, region=book.region)

    def environment(self) -> dict[str, str]:
        """Returns the variables that point boto3 (AWS_…) and mosaicml-streaming (S3_ENDPOINT_URL) to one server."""
        variables = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if self.endpoint:
            variables |= {"AWS_ENDPOINT_URL": self.endpoint, "S3_ENDPOINT_URL": self.endpoint}
        return variables

    def arrow_options(self) -> dict[str, Any]:
        """Returns the keyword arguments of `pyarrow.fs.S3FileSystem` that are no secret."""
        options: dict[str, Any] = {"region": self.region, "connect_timeout": 5, "request_timeout": 60}
        if self.endpoint:
            scheme, _, host = self.endpoint.rpartition("://")
            options |= {"endpoint_override": host, "scheme": scheme or "https"}
        return options


class RaySettings(BaseModel):
    """The Ray to work on: one that is started here for the time of the work, or an existing cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    address: str | None = None
    """Address of an existing cluster, e.g. `auto` inside one of its jobs; none starts a local one, and stops it."""
    num_cpus: PositiveInt | None = None
    """Cores of a local Ray; none takes those that the machine, or this container of it, has."""
    object_store_memory: int = Field(200 * 2**20, ge=78_643_200)
    """Bytes of shared memory of a local Ray; pixels never pass through it, so little is enough."""
    threads: NonNegativeInt = 1
    """Threads that torch and BLAS use in each worker; 0 leaves it to them (they then fight for the cores)."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "RaySettings":
        """Takes the address from RAY_ADDRESS, where Ray's own tools look for it."""
        env = os.environ if environment is None else environment
        return cls(address=env.get("RAY_ADDRESS") or None)


MALLOC_VARIABLES = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(512 * 2**20)}
"""Keep freed memory in the worker: given back after each tensor, it comes again page fault by page fault."""


def worker_environment(threads: int = 1) -> dict[str, str]:
    """Returns the variables that a Ray worker needs to see the same stores, services and additions as this process.

    They are for `runtime_env["env_vars"]`; none of them is a secret.

    Args:
        threads: of torch and BLAS in each worker; 0 sets none.
    """
    variables = MALLOC_VARIABLES | _s3_environment()
    variables |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    if threads:
        variables |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    return variables


def _s3_environment() -> dict[str, str]:
    try:
        return S3Settings.from_environment().environment()
    except InfraError:
        # A profile that cannot be read keeps nobody from a local store; opening one on S3 reports it.
        return {}
