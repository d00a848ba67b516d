"""Each reader of foreign bytes, for a few seconds: longer by hand, see the package."""

import importlib

import pytest

from tests.fuzz.harness import run_for

TARGETS = (
    "chunks",
    "hdf5_layout",
    "manifest",
    "released_weights",
    "safetensors_header",
    "tables",
    "yaml_files",
)
SECONDS = 3.0


@pytest.mark.parametrize("name", TARGETS)
def test_a_foreign_input_is_read_or_refused_in_one_sentence(name: str) -> None:
    assert run_for(importlib.import_module(f"tests.fuzz.{name}").target(), SECONDS) > 5
