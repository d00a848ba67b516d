"""Types that figures are kept in, and how constants reach a device."""

import torch

from jepa.core.numerics import at_least_float32, constant, to_device


def test_half_precision_is_widened_and_double_stays() -> None:
    for given, kept in (
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ):
        assert at_least_float32(torch.ones(2, dtype=given)).dtype == kept


def test_a_constant_is_made_once_for_a_type_and_device() -> None:
    cpu = torch.device("cpu")
    one = constant((0.1, 0.2), torch.float64, cpu)
    assert one.tolist() == [0.1, 0.2] and constant((0.1, 0.2), torch.float64, cpu) is one
    assert constant((0.1, 0.2), torch.float32, cpu).dtype == torch.float32
    assert constant((0.1, 0.2), torch.float64, torch.device("meta")).is_meta


def test_a_constant_that_inference_asked_for_first_serves_training_too() -> None:
    with torch.inference_mode():
        values = constant((3.0, 4.0), torch.float32, torch.device("cpu"))
    weight = torch.ones(2, requires_grad=True)
    (weight * values).sum().backward()
    assert weight.grad is not None and weight.grad.tolist() == [3.0, 4.0]


def test_a_tensor_reaches_a_device_whole() -> None:
    x = torch.arange(3.0)
    assert torch.equal(to_device(x, torch.device("cpu")), x) and to_device(x, torch.device("meta")).is_meta
