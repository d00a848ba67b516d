"""Variables are set for the time of a block and then as they were."""

import os

import pytest

from infra.processes.environment import applied_environment


def test_variables_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLOUR", "red")
    monkeypatch.delenv("SHAPE", raising=False)
    with applied_environment({"COLOUR": "blue", "SHAPE": "round"}):
        assert (os.environ["COLOUR"], os.environ["SHAPE"]) == ("blue", "round")
    assert os.environ["COLOUR"] == "red" and "SHAPE" not in os.environ


def test_an_exception_puts_them_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLOUR", "red")
    with pytest.raises(KeyboardInterrupt), applied_environment({"COLOUR": "blue"}):
        raise KeyboardInterrupt
    assert os.environ["COLOUR"] == "red"


def test_what_the_block_removed_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHAPE", raising=False)
    with applied_environment({"SHAPE": "round"}):
        del os.environ["SHAPE"]
    assert "SHAPE" not in os.environ
