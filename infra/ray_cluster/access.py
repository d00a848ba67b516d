"""By which token, and on which interfaces, this process talks to Ray."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from infra.errors import AddressError
from infra.processes.environment import applied_environment
from infra.ray_cluster.local import RaySession, ray_session

MODE = "RAY_AUTH_MODE"


@contextmanager
def local_access() -> Iterator[RaySession]:
    """Gives a Ray that is started within the block a private folder, a token of its own, and loopback only.

    Raises:
        AddressError: there is no place for the folder.
    """
    from ray._private import ray_constants

    cluster = ray_constants.ENABLE_RAY_CLUSTER
    with ray_session() as session, _applied(session.variables):
        # Ray reads this variable as it is imported, which may have been long ago.
        ray_constants.ENABLE_RAY_CLUSTER = False
        try:
            yield session
        finally:
            ray_constants.ENABLE_RAY_CLUSTER = cluster


@contextmanager
def cluster_access() -> Iterator[None]:
    """Lets this process talk to an existing cluster, with a token unless RAY_AUTH_MODE says otherwise."""
    # A job's driver gives its workers the variables that it finds, some of which its job has given already.
    with _applied({MODE: os.environ.get(MODE) or "token", "RAY_OVERRIDE_JOB_RUNTIME_ENV": "1"}):
        yield


def require_token(address: str) -> None:
    """Finds out whether there is a token for an existing cluster, where one is needed.

    Raises:
        AddressError: there is none.
    """
    from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]

    if os.environ.get(MODE, "").lower() != "token":
        return
    try:
        found = AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True)
    except Exception as error:  # Ray's own, for a file that is missing or empty
        raise AddressError(
            f"the token for the Ray cluster at {address!r} cannot be read from the file that RAY_AUTH_TOKEN_PATH "
            "names; correct it, or set RAY_AUTH_TOKEN"
        ) from error
    if not found:
        raise AddressError(
            f"there is no token for the Ray cluster at {address!r}; put the cluster's into RAY_AUTH_TOKEN or "
            "~/.ray/auth_token, or set RAY_AUTH_MODE=disabled if the cluster was started without one"
        )


@contextmanager
def _applied(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets variables and makes Ray, which remembers mode and token for good, look again, now and afterwards."""
    try:
        with applied_environment(variables):
            _look_again()
            yield
    finally:
        _look_again()


def _look_again() -> None:
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    # In this order: a thread of Ray's that is still ending reads the token again as long as the mode asks for one.
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
