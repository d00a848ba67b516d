"""A frozen encoder: only the predictor learns, resume needs no file, evaluation takes the model, errors say what."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from jepa.core.errors import InputError
from jepa.evaluation import EVALUATIONS, evaluate
from jepa.models.files import load_model, save_model
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.objectives import make_objective
from jepa.training.state import TrainingState
from jepa.training.trainer import TrainConfig, Trainer
from tests.jepa.evaluation.standins import MemorySource
from tests.jepa.models.test_tokens import make_token_model
from tests.jepa.models.test_world_model import make_model
from tests.jepa.training.toy import CONFIG, PATCHES, toy_clips, toy_trainer, toy_weights

TOKENS: dict[str, Any] = {"objective": "frozen", "options": {}, "history": 2, "predictor": "tokens", "fields": PATCHES}


def run(trainer: Trainer, until: int) -> list[dict[str, float]]:
    return [trainer.step(toy_clips(16, seed=step)) for step in range(trainer.completed_steps, until)]


def test_the_loss_is_the_error_over_tokens_and_reaches_the_predictor_alone() -> None:
    objective = toy_trainer(**TOKENS).objective
    model, clips = objective.model, toy_clips(8)
    terms = objective(clips, 0, 10)
    z_BTD = model.encode(clips.pixels_BTHWC)
    zhat_BTD = model.predict(z_BTD[:, :-1], clips.action_BTKA)
    per_token = (zhat_BTD - z_BTD[:, 1:]).unflatten(-1, (16, 8)).square().mean(-1)
    assert torch.allclose(terms["loss"], per_token.mean())
    # The untrained predictor says that nothing changes.
    assert torch.allclose(terms["change"], terms["loss"].detach()) and "change" not in objective(clips, 0, 10, False)
    terms["loss"].backward()
    learning = {name.split(".")[1] for name, weight in objective.named_parameters() if weight.requires_grad}
    assert learning == {"predictor", "action_encoder"} and not z_BTD.requires_grad
    assert all(weight.grad is None for weight in model.encoder.parameters())


def test_the_predictor_learns_and_the_encoder_stays() -> None:
    config = TrainConfig.model_validate(CONFIG.model_dump() | {"learning_rate": 1e-2, "steps": 100})
    trainer = toy_trainer(config, **TOKENS)
    before = {name: tensor.clone() for name, tensor in trainer.objective.model.encoder.state_dict().items()}
    figures = [trainer.step(toy_clips(16)) for _ in range(100)]
    assert figures[-1]["prediction"] < 0.5 * figures[-1]["change"] == pytest.approx(0.5 * figures[0]["prediction"])
    assert all(
        torch.equal(before[name], tensor) for name, tensor in trainer.objective.model.encoder.state_dict().items()
    )


def test_running_statistics_of_a_frozen_encoder_and_projector_stay() -> None:
    trainer = toy_trainer(objective="frozen", options={})
    model = trainer.objective.model
    assert trainer.objective.training and model.predictor.training
    frozen = model.state_dict() | {}
    before = {name: tensor.clone() for name, tensor in frozen.items() if name.startswith(("encoder.", "projector."))}
    run(trainer, 3)
    assert any(name.endswith("running_mean") for name in before)
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in before.items())


def frozen_trainer(weights: str, seed: int = 0) -> Trainer:
    model = WorldModel.from_config(toy_trainer(**TOKENS).objective.model.config, seed)
    return Trainer(make_objective("frozen", model, {"weights": weights}), CONFIG)


def test_a_run_resumes_to_the_bit_and_without_the_file() -> None:
    with toy_weights(toy_trainer(**TOKENS).objective.model.config) as options:
        straight, first = (frozen_trainer(options["weights"]) for _ in range(2))
        expected = run(straight, 6)
        run(first, 3)
        saved = first.state().to_bytes()
    second = frozen_trainer(options["weights"], seed=4)
    with pytest.raises(InputError, match=r"objective_options.weights '.*' does not exist"):
        run(second, 1)
    second.load(TrainingState.from_bytes(saved))
    assert run(second, 6) == expected[3:]
    held = straight.state().tensors
    assert all(torch.equal(tensor, held[name]) for name, tensor in second.state().tensors.items())


def test_a_finished_model_carries_the_encoder_and_is_evaluated_as_any_other() -> None:
    fields = make_token_model(history=1).config.model_dump()
    fields["encoder_options"]["resize"] = 32
    config = ModelConfig.model_validate(fields | {"image_size": 64, "frameskip": 5})
    with toy_weights(config) as options:
        frozen = make_objective("frozen", WorldModel.from_config(config), options).model
    again = load_model(*save_model(frozen))
    assert torch.equal(again.get_parameter("encoder.position"), frozen.get_parameter("encoder.position"))
    source = MemorySource({"train": 12, "validation": 4, "test": 4})
    for kind in EVALUATIONS:
        assert evaluate(kind, again, source, "tiny-v1", seed=7).metrics


def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(save_model(make_token_model())[0])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (
        make_objective("frozen", make_token_model(), {"weights": str(path), "weights_sha256": digest}).missing is None
    )
    with pytest.raises(InputError, match=rf"weights_sha256 is {'0' * 64} and the file .* has {digest}"):
        make_objective("frozen", make_token_model(), {"weights": str(path), "weights_sha256": "0" * 64})
    with pytest.raises(
        InputError, match=r"objective_options.weights '.*': the weights are in no layout .* 'conv' knows"
    ):
        make_objective("frozen", make_model(encoder="conv"), {"weights": str(path)})
    path.write_bytes(b"not weights")
    with pytest.raises(InputError, match=r"objective_options.weights '.*': not released weights"):
        make_objective("frozen", make_token_model(), {"weights": str(path)})
    objective = make_objective("frozen", make_token_model(), {})
    with pytest.raises(InputError, match=r"objective_options.weights is missing; give a local file"):
        objective(toy_clips(2), 0, 10)
