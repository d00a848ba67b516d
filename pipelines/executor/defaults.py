"""What a job's configuration means where it does not say it."""

from collections.abc import Mapping
from typing import Any


def one_local_worker(values: Any, field: str = "workers") -> Any:
    """Returns a configuration's values with one worker where `executor` is `local` and no number is given.

    A script or a notebook that asks for `local` wants the work in its own process; more than one worker would start
    processes, which need the script's `__main__` guard.

    Args:
        values: of a configuration before it is checked; what is no mapping is returned as it is.
        field: name of the number of workers.
    """
    if isinstance(values, Mapping) and values.get("executor") == "local" and values.get(field) is None:
        return {**values, field: 1}
    return values
