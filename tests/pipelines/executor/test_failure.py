"""A failure is carried as it is where the exception survives, and as text of the nearest type where it does not."""

import pickle

import pytest

from infra.errors import InfraError
from jepa.core.errors import InputError
from pipelines.executor.failure import Failure, WorkerError, WorkerTraceback
from pipelines.loader.native.fetch import DamagedChunkError
from tests.pipelines.executor.troubles import (
    FieldError,
    GoneError,
    LockedError,
    MuteError,
    OtherWordsError,
    TwoArgumentsError,
)


def carried(error: BaseException) -> BaseException:
    """Returns what arrives of an exception that is raised elsewhere."""
    try:
        raise error
    except BaseException as raised:
        failure = Failure.of(raised)
    arrived: Failure = pickle.loads(pickle.dumps(failure))
    assert arrived.attempt == failure.attempt and arrived.reason == failure.reason
    return arrived.error


def test_an_exception_that_survives_arrives_as_it_is() -> None:
    error = carried(DamagedChunkError("chunk 3 of shard 2 is damaged", 17))
    assert isinstance(error, DamagedChunkError) and error.chunk == 17
    assert str(error) == "chunk 3 of shard 2 is damaged"
    assert isinstance(error.__cause__, WorkerTraceback) and "in carried" in str(error.__cause__)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (TwoArgumentsError("a", 1), WorkerError, "TwoArgumentsError: a and 1"),
        (OtherWordsError(3), WorkerError, "OtherWordsError: row 3 is wrong"),
        (LockedError("held"), WorkerError, "LockedError: held"),
        (MuteError(), WorkerError, "MuteError: <its message cannot be shown: RuntimeError>"),
        (FieldError("episodes", 9), InputError, "episodes is 9; take less"),
        (GoneError(), InfraError, "the store is gone"),
    ],
)
def test_another_arrives_as_the_nearest_type(error: BaseException, kind: type[BaseException], text: str) -> None:
    arrived = carried(error)
    assert type(arrived) is kind and str(arrived) == text


def test_here_the_exception_stays_itself() -> None:
    error = LockedError("held")
    assert Failure.of(error).error is error


def test_a_huge_message_is_shortened_at_both_places() -> None:
    error = carried(ValueError("a" * 5_000_000 + "b" * 5_000_000))
    assert len(str(error)) < 11_000 and str(error).startswith("ValueError: aaa") and str(error).endswith("bbb")


def test_a_reason_is_one_line_and_names_foreign_types() -> None:
    assert Failure.of(ValueError("first\nsecond")).reason == "ValueError: first"
    assert Failure.of(InfraError("the store is gone")).reason == "the store is gone"
    assert Failure.of(InfraError("")).reason == "InfraError: "
    assert Failure.of(KeyError("name")).reason == "KeyError: 'name'"


def test_what_is_pickled_twice_is_the_same() -> None:
    failure = pickle.loads(pickle.dumps(Failure.of(InputError("wrong"))))
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(failure))))
    assert isinstance(again.error, InputError) and str(again.error) == "wrong"
