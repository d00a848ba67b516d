"""Decoding: a decoder learns to draw what the latents hold, and nothing that they do not."""

import numpy as np
import pytest
import torch
from torch import Tensor

from jepa.core.errors import InputError
from jepa.evaluation.evaluation import EvaluationResult
from jepa.evaluation.kinds.decoding.evaluation import DecodingConfig, DecodingEvaluation, imagine
from jepa.evaluation.kinds.decoding.fitting import DecoderFitConfig
from jepa.models.decoder import PatchDecoderConfig, frames, pictures
from jepa.models.encoding import encode_pixels
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

CONFIG = DecodingConfig(
    side=16,
    decoder=PatchDecoderConfig(patches=2, tokens=4, width=32),
    train_frames=1000,
    steps=250,
    learning_rate=3e-3,
    episodes=6,
    horizon=3,
    episodes_shown=1,
)


class Collapsed(CentroidModel):
    """Every frame has the same latent."""

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        return torch.ones_like(super().encode(pixels_BTHWC))


class Still(CentroidModel):
    """Imagines that nothing ever moves."""

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        return z_BTD[:, -1:].expand(-1, action_BHKA.shape[1], -1)


@pytest.fixture(scope="module")
def source() -> MemorySource:
    return MemorySource({"train": 120, "test": 8, "unseen": 4}, steps=40)


def run(model: CentroidModel, source: MemorySource, seed: int = 0) -> EvaluationResult:
    return DecodingEvaluation(CONFIG, "p-v1").run("decoder", model, source, seed)  # type: ignore[arg-type]


def psnr(result: EvaluationResult, quantity: str, probe: str = "decoder") -> float:
    (value,) = (
        row["value"]
        for row in result.metrics
        if (row["metric"], row["split"], row["quantity"], row["probe"]) == ("psnr", "test", quantity, probe)
    )
    return float(value)


@pytest.fixture(scope="module")
def drawn(source: MemorySource) -> EvaluationResult:
    return run(CentroidModel(), source)


def test_what_latents_hold_is_drawn_better_than_the_mean_frame(drawn: EvaluationResult) -> None:
    for quantity in ("encoded", "imagined_1", "imagined_3"):
        assert psnr(drawn, quantity) > psnr(drawn, quantity, "mean_frame") + 0.4
    assert {row["n"] for row in drawn.metrics if row["split"] == "test"} == {6}
    assert {row["unit"] for row in drawn.metrics} == {"dB", "1"}
    assert all(row["ci_low"] <= row["value"] <= row["ci_high"] for row in drawn.metrics)


def test_a_wrong_imagination_is_seen(source: MemorySource, drawn: EvaluationResult) -> None:
    still = run(Still(), source)
    assert psnr(still, "encoded") == psnr(drawn, "encoded")
    assert psnr(still, "imagined_3") < psnr(drawn, "imagined_3") - 0.3


def test_collapsed_latents_are_drawn_as_the_mean_frame(source: MemorySource) -> None:
    result = run(Collapsed(), source)
    for quantity in ("encoded", "imagined_3"):
        assert psnr(result, quantity) == pytest.approx(psnr(result, quantity, "mean_frame"), abs=0.25)


def test_the_same_seed_draws_the_same(source: MemorySource, drawn: EvaluationResult) -> None:
    def known(result: EvaluationResult) -> list[dict[str, object]]:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in result.metrics]

    torch.rand(3)  # another draw before
    again = run(CentroidModel(), source)
    assert known(again) == known(drawn) and again.tables == drawn.tables


def test_strips_hold_truth_latents_and_imagination(drawn: EvaluationResult) -> None:
    rows = [row for row in drawn.tables["pictures"] if row["split"] == "test"]
    assert {row["source"] for row in rows} == {"true", "encoded", "imagined"}
    assert [row["step"] for row in rows if row["source"] == "imagined"] == [0, 5, 10, 15]
    first = {row["source"]: row["frame"] for row in rows if row["step"] == 0}
    assert first["imagined"] == first["encoded"] != first["true"]


def test_every_frame_imagines_under_the_actions_that_followed_it(source: MemorySource) -> None:
    episode = source.by_split["test"][0]
    model, blocks = CentroidModel(), 8
    z_TD = encode_pixels(model, episode.pixels[::5])  # type: ignore[arg-type]
    action_TKA = episode.action.reshape(blocks, 5, 2)
    imagined_THD = imagine(model, z_TD, action_TKA, 3)  # type: ignore[arg-type]
    assert imagined_THD.shape == (8, 3, 2)
    for start in (0, 5):
        expected = model.rollout(
            torch.from_numpy(z_TD[start][None, None]), torch.from_numpy(action_TKA[start : start + 3][None])
        )
        np.testing.assert_allclose(imagined_THD[start], expected[0], rtol=1e-6)


def test_pictures_are_averaged_down_and_turn_back_into_frames() -> None:
    pixels = torch.randint(0, 256, (2, 8, 8, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    assert torch.equal(frames(pictures(pixels, 8)), pixels)
    mean = pixels.float().unflatten(2, (4, 2)).unflatten(1, (4, 2)).mean((2, 4))
    assert torch.allclose((pictures(pixels, 4).permute(0, 2, 3, 1) + 1) * 127.5, mean, atol=1e-3)
    assert [DecoderFitConfig().side_of(size) for size in (224, 64, 30, 2)] == [64, 64, 28, 4]


def test_it_needs_training_and_test_episodes_of_a_block() -> None:
    evaluation = DecodingEvaluation(CONFIG, "p-v1")
    with pytest.raises(InputError, match="no 'train' episodes"):
        evaluation.units(MemorySource({"test": 1}))
    with pytest.raises(InputError, match="no 'test' episode has 5 steps"):
        short = MemorySource({"train": 2, "test": 1}, steps=3)
        quick = DecodingEvaluation(CONFIG.model_copy(update={"steps": 1}), "p-v1")
        quick.run("decoder", CentroidModel(), short, 0)  # type: ignore[arg-type]
