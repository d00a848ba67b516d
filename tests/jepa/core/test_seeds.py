"""Streams of a seed: pure functions of the seed and the name, apart from each other, and what datasets rest on."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from jepa.core.seeds import (
    derive_key,
    derive_seed,
    episode_generator,
    numpy_generator,
    python_generator,
    seeded,
    torch_generator,
)


def test_values_on_which_stored_datasets_and_figures_rest() -> None:
    """A change of one of these changes the bytes of every dataset, or every figure with an interval."""
    assert derive_seed(0, "problem", "near", 3, 7) == 3188797806374289006
    assert derive_key("episode", 0) == 4886014812796480910
    assert derive_key("epoch", 0, 1) == 12941003694784074988
    for number, stream in enumerate(("scene", "policy", "variation", "plan")):
        expected = np.random.default_rng([11, number]).random(3)
        assert np.array_equal(episode_generator(11, stream).random(3), expected)  # type: ignore[arg-type]


def test_a_stream_is_the_generator_of_its_derived_seed() -> None:
    stream = derive_seed(3, "frames", 5)
    assert numpy_generator(3, "frames", 5).random() == np.random.default_rng(stream).random()
    assert python_generator(3, "frames", 5).random() == random.Random(stream).random()
    expected = torch.rand(2, generator=torch.Generator().manual_seed(stream))
    assert torch.equal(torch.rand(2, generator=torch_generator(3, "frames", 5)), expected)
    with seeded(3, "frames", 5):
        assert torch.equal(torch.rand(2), expected)
    # A seed that was derived already needs no further name.
    assert numpy_generator(stream).random() == numpy_generator(3, "frames", 5).random()


def test_streams_of_other_names_and_seeds_are_others() -> None:
    seeds = [derive_seed(seed, *names) for seed in (0, 1) for names in (("a",), ("b",), ("a", 0), ("a", 1), ("a", "b"))]
    keys = [derive_key(*names) for names in (("a", 1), ("a", "1"), ("a", 1, ""), ("a1",), (1, "a"))]
    assert len({*seeds, *keys}) == len(seeds) + len(keys)


def test_draws_outside_a_stream_are_left_alone() -> None:
    with seeded(1):
        expected = torch.rand(4)
    with seeded(1):
        first = torch.rand(2)
        with pytest.raises(ValueError, match="inside"), seeded(2, "other"):
            torch.rand(5)
            raise ValueError("inside")
        assert torch.equal(torch.cat([first, torch.rand(2)]), expected)


def test_collecting_a_dataset_needs_no_torch() -> None:
    """Every process that collects would take two seconds longer to start."""
    program = (
        "import sys, jepa.worlds.two_room.world; from jepa.core.seeds import episode_generator, numpy_generator\n"
        "numpy_generator(0, 'a'), episode_generator(0, 'scene'); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"
