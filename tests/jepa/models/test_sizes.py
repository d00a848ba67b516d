"""What a file or a configuration asks for is compared with what there is before memory is taken."""

import io
import json
import time
import zipfile
from typing import Any

import pytest
import torch
from safetensors.torch import save

from jepa.core.errors import InputError
from jepa.models.files import load_model, save_model
from jepa.models.weights_file import read_tensors
from tests.jepa.models.test_world_model import make_model


def saved(tensors: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(tensors, stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("latent_size", 900_000),
        ("projector_size", 10**9),
        ("projector_size", 2**62),
        ("action_size", 90_000),
        ("history", 10_000),
        ("encoder_options", {"channels": [10**6, 10**6]}),
        ("predictor_options", {"depth": 10**9}),
        ("predictor_options", {"width": 10**7}),
    ],
)
def test_absurd_sizes_are_compared_with_the_weights_before_memory_is_taken(field: str, value: Any) -> None:
    weights, text = save_model(make_model())
    config = json.loads(text)
    config[field] = config[field] | value if isinstance(value, dict) else value
    began = time.monotonic()
    with pytest.raises(InputError, match=r"does not fit config\.json|sizes that cannot be|more than the \d+ tensors"):
        load_model(weights, json.dumps(config))
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_that_are_not_finite_are_refused_by_name(value: float, dtype: torch.dtype) -> None:
    model = make_model().to(dtype)
    name, tensor = next((name, tensor) for name, tensor in model.state_dict().items() if tensor.is_floating_point())
    tensor.view(-1)[-1] = value
    with pytest.raises(InputError, match=f"values in tensor '{name}' that are not finite"):
        load_model(*save_model(model))


@pytest.mark.parametrize("pack", [save, saved])
def test_foreign_weights_that_are_not_finite_are_refused_by_name(pack: Any) -> None:
    with pytest.raises(InputError, match="values in tensor 'b' that are not finite"):
        read_tensors(pack({"a": torch.zeros(3), "b": torch.tensor([0.0, torch.nan])}))


@pytest.mark.parametrize(
    ("tensor", "sentence"),
    [
        (torch.zeros(1).expand(200_000, 1_000_000), "takes 800000000000 bytes, and the file holds 4 for it"),
        (torch.zeros(4).as_strided((10**9, 4), (0, 1)), "takes 16000000000 bytes, and the file holds 16 for it"),
        (torch.eye(3).to_sparse(), "is of layout torch.sparse_coo"),
        (torch.empty(10**9, device="meta"), "is without values"),
    ],
)
def test_a_tensor_larger_than_its_file_is_refused(tensor: torch.Tensor, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_tensors(saved({"a": torch.zeros(3), "w": tensor}))


def test_compressed_weights_are_refused() -> None:
    plain, packed = zipfile.ZipFile(io.BytesIO(saved({"w": torch.zeros(10**6)}))), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in plain.infolist():
            archive.writestr(entry.filename, plain.read(entry))
    with pytest.raises(InputError, match="the weights are compressed"):
        read_tensors(packed.getvalue())


def test_views_of_one_storage_are_read() -> None:
    whole = torch.arange(6.0)
    held = read_tensors(saved({"first": whole[:3], "last": whole[3:], "turned": whole.view(2, 3).T}))
    assert torch.equal(held["turned"], whole.view(2, 3).T)
