"""Every exception class of ours comes out of a pickle as it was: workers raise them, drivers show them."""

import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

from pipelines.executor.failure import Failure

ROOMS = ("jepa", "pipelines", "flows", "infra")
SAMPLES: dict[Any, Any] = {
    str: "a sentence; with a remedy",
    int: 7,
    int | None: 7,
    float: 0.5,
    bool: False,
    bytes: b"bytes",
    object: "anything",
    dict[str, Failure]: {"unit-3": Failure.of(ValueError("no good"))},
    dict[str, str] | None: {"unit-3": "runs/logs/collect-d0/unit-3.json"},
}
"""A value for each type that an exception's parameters have."""


def modules(room: str) -> Iterator[str]:
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, f"{room}."):
        if not module.name.endswith(".__main__"):
            yield module.name


def exception_classes() -> list[type[BaseException]]:
    """Returns those that are defined in a module of ours, whatever it is."""
    found: dict[str, type[BaseException]] = {}
    for name in [name for room in ROOMS for name in modules(room)]:
        for one in vars(importlib.import_module(name)).values():
            if isinstance(one, type) and issubclass(one, BaseException) and one.__module__ == name:
                found[f"{name}.{one.__qualname__}"] = one
    return list(found.values())


CLASSES = exception_classes()


def example(kind: type[BaseException]) -> BaseException:
    """Returns an instance, its parameters filled by their types."""
    if "__init__" not in vars(kind) and not any("__init__" in vars(base) for base in kind.__mro__ if _is_ours(base)):
        return kind("a sentence; with a remedy")
    hints = get_type_hints(kind.__init__)
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return kind(*(SAMPLES[hints[parameter.name]] for parameter in parameters))


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in ROOMS


def test_the_walk_finds_the_classes() -> None:
    names = {kind.__name__ for kind in CLASSES}
    assert {"InputError", "InfraError", "UnitsError", "DamagedChunkError", "TrainingFailure", "Preempted"} <= names


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_it_survives_pickling(kind: type[BaseException]) -> None:
    error = example(kind)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error)
    assert repr(vars(again)) == repr(vars(error))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_it_arrives_as_itself_from_a_worker(kind: type[BaseException]) -> None:
    error = example(kind)
    assert type(pickle.loads(pickle.dumps(Failure.of(error))).error) is kind
