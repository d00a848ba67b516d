"""Values of a narrower type than the call that gives them declares, checked where they are taken."""

from typing import TypeVar

import duckdb
import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

M = TypeVar("M", bound=nn.Module)
T = TypeVar("T")


def floats(values: ArrayLike) -> NDArray[np.float32]:
    """Returns the numbers as a float32 array."""
    return np.asarray(values, dtype=np.float32)


def submodule(module: nn.Module, path: str, kind: type[M]) -> M:
    """Returns the part of a module at a dotted path; an attribute of a module may otherwise be a tensor as well."""
    found = module.get_submodule(path)
    assert isinstance(found, kind), f"{path} is a {type(found).__name__}"
    return found


def present(value: T | None) -> T:
    """Returns what must be there."""
    assert value is not None
    return value


def queried(sql: str) -> duckdb.DuckDBPyRelation:
    """Returns what DuckDB finds; only a statement that is no query gives nothing."""
    return present(duckdb.sql(sql))
