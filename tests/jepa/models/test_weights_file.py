"""Files of weights: both formats are read, a wrapper is opened, and nothing in a file is run."""

import io
import pickle

import pytest
import torch
from safetensors.torch import save

from jepa.core.errors import InputError
from jepa.models.weights_file import read_tensors

TENSORS = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}


class Boom:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was run",))


def saved(held: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(held, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("data", [save(TENSORS), saved(TENSORS), saved({"epoch": 3, "state_dict": TENSORS})])
def test_a_state_dict_is_read(data: bytes) -> None:
    read = read_tensors(data)
    assert read.keys() == TENSORS.keys() and all(torch.equal(read[name], TENSORS[name]) for name in TENSORS)


@pytest.mark.parametrize("data", [pickle.dumps(Boom()), saved(Boom()), b"", b"\x00" * 64, save(TENSORS)[:20]])
def test_what_is_no_weights_is_refused_and_not_run(data: bytes) -> None:
    with pytest.raises(InputError, match="not released weights that can be read safely") as caught:
        read_tensors(data)
    # What torch says to its developers is how to load the file all the same.
    for advice in ("weights_only", "trust", "allowlist", "safe_globals", "PyTorch", "\n"):
        assert advice not in str(caught.value)


def test_what_an_unsafe_file_asks_for_is_said() -> None:
    with pytest.raises(InputError, match=r"the file asks for torch\.nn\.modules\.linear\.Linear, so that loading"):
        read_tensors(saved(torch.nn.Linear(1, 2)))


def test_a_file_without_names_of_tensors_is_refused() -> None:
    for held in ([1, 2], {"a": 3}):
        with pytest.raises(InputError, match=r"holds no state dict.*; save model\.state_dict\(\)"):
            read_tensors(saved(held))
