"""The training step: an objective, AdamW, a schedule, and a state from which the run continues exactly.

One process or many: with a process group of several, each calls `step` with its part of the global batch, and the
result is that of one process on the whole (see `jepa.core.collectives`).
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError
from torch import Tensor, nn

from jepa.core.clips import Clips
from jepa.core.collectives import sharing, world_size
from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.seeds import seeded
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import Objective
from jepa.planning.heads.head import Head
from jepa.training.compute import ComputeConfig, parallelised, prepare, shared_like, whole
from jepa.training.precision import LossScale, Precision, half_of
from jepa.training.schedule import learning_rate_at
from jepa.training.state import TrainingState


class TrainConfig(Config):
    """How long and how fast to train; all counts are of the global batch."""

    steps: PositiveInt = 3000
    """Optimiser steps of the whole run."""
    batch_size: int = Field(128, gt=0, le=1_000_000)
    """Clips in a global batch, over all workers together."""
    horizon: int = Field(3, gt=0, le=10_000)
    """Frames of a clip beyond the model's history."""
    learning_rate: PositiveFloat = 1e-3
    """Peak rate of AdamW."""
    weight_decay: NonNegativeFloat = 1e-3
    """AdamW's weight decay."""
    schedule_length: float = Field(1.0, ge=1.0)
    """Length of the learning rate's schedule in runs: at 10 the run stops after the first tenth of it."""
    warmup: float = Field(0.01, ge=0.0, lt=1.0)
    """Share of the schedule in which the rate rises to its peak, before it falls along a cosine to zero."""
    clip: PositiveFloat = 1.0
    """Largest norm of the gradient."""
    precision: Precision = "auto"
    """`bf16` and `fp16` run matrix products and convolutions in half precision, weights and losses stay in float32;
    `auto` takes bf16 where the device has instructions for it; `fp64` is for comparing to the last digit."""
    seed: NonNegativeInt = 0
    """Seed of the initial weights, of the order of clips and of every draw."""
    log_every: PositiveInt = 20
    """Steps between two logged ones."""
    checkpoint_every: PositiveInt = 500
    """Steps between two checkpoints."""
    collapse_std: NonNegativeFloat = 1e-3
    """Training stops when, after the warm-up, the latents' mean standard deviation is under this; 0 lets it run on."""


class TrainingFailure(RuntimeError):
    """Training went wrong numerically; one sentence says how and what to try."""


def collapse(latent_std: float, least: float) -> str:
    """Returns what is wrong with latents whose mean standard deviation is under the least allowed, else nothing."""
    return f"the latents have collapsed (their mean standard deviation is {latent_std:.1e})" * (latent_std < least)


class Trainer:
    """Minimises an objective step by step; the data is the caller's."""

    def __init__(
        self,
        objective: Objective,
        config: TrainConfig,
        device: str | torch.device = "cpu",
        compute: ComputeConfig | None = None,
    ) -> None:
        """Prepares the objective for its steps.

        Raises:
            InputError: clips of the configured horizon are too short for it, or it cannot be computed as is asked for.
        """
        objective.check_horizon(config.horizon)
        self.config = config
        self.compute = compute or ComputeConfig()
        self.device = torch.device(device)
        self.completed_steps = 0
        self._earlier: list[dict[str, int]] = []
        self._dtype = torch.float64 if config.precision == "fp64" else torch.float32
        self.objective = objective.to(self.device, self._dtype).train()
        self.objective.seed = config.seed
        self._half = half_of(config.precision, self.device)
        self._loss_scale = LossScale(self._half, self.device)
        prepare(self.objective, self.compute)
        self._module = parallelised(self.objective, self.compute, self.device)
        # An objective may hold weights that follow others and have no gradient, such as a teacher's.
        self._trained = {name: weight for name, weight in self.objective.named_parameters() if weight.requires_grad}
        self._optimizer = torch.optim.AdamW(
            self._trained.values(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )

    @property
    def sharded(self) -> bool:
        """Whether each process holds a shard of the state, so that all of them must call `state`."""
        return self.compute.parallel == "fsdp" and world_size() > 1

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.completed_steps >= self.config.steps

    def step(self, clips: Clips) -> dict[str, float]:
        """Takes one optimiser step on this process's part of the global batch.

        Returns:
            the global batch's figures on steps that are logged (the first, every `log_every`-th, the last), an empty
            dict on others: reading a figure makes the host wait for a GPU. Names are the objective's, and
            `learning_rate`, `gradient_norm`.

        Raises:
            TrainingFailure: a figure is not finite, or the latents have collapsed.
            InputError: all steps are done already.
        """
        if self.finished:
            raise InputError(f"the run's {self.config.steps} steps are done; raise steps to train on")
        step, logged = self.completed_steps, self.is_logged(self.completed_steps)
        rate = self.learning_rate(step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        clips = clips.to(self.device, self._dtype)
        with self._draws_of(step, len(clips.action_BTKA)):
            terms = self._forward(clips, step, logged)
            self._optimizer.zero_grad()
            self._loss_scale.backward(terms["loss"])
        self._loss_scale.unscale(self._optimizer)
        norm = whole(nn.utils.clip_grad_norm_(self._trained.values(), self.config.clip))
        self._loss_scale.step(self._optimizer)
        self.completed_steps += 1
        if not logged:
            return {}
        figures = {name: float(value.detach()) for name, value in terms.items()}
        figures |= {"learning_rate": rate, "gradient_norm": float(norm)}
        self._watch(figures)
        return figures

    @property
    def segments(self) -> list[dict[str, int]]:
        """Returns the stretches `from` a step `to` another whose schedules are those of a run of `steps` steps."""
        begun = self._earlier[-1]["to"] if self._earlier else 0
        return [*self._earlier, {"from": begun, "to": self.completed_steps, "steps": self.config.steps}]

    def is_logged(self, step: int) -> bool:
        """Returns whether a step, counted from 0, is one whose figures are returned."""
        return step == 0 or (step + 1) % self.config.log_every == 0 or step + 1 == self.config.steps

    def learning_rate(self, step: int) -> float:
        """Returns the rate of a step, counted from 0."""
        return learning_rate_at(step, self._schedule_steps(), self.config.learning_rate, self._warmup_steps())

    def whole_model(self) -> WorldModel:
        """Returns the trained model with all its weights; where the trainer is `sharded`, a collective and a copy."""
        model = self.objective.model
        if not self.sharded:
            return model
        weights = {name: whole(tensor.detach()).cpu() for name, tensor in model.state_dict().items()}
        copy = WorldModel.from_config(model.config)
        copy.load_state_dict(weights)
        return copy

    def whole_head(self) -> Head | None:
        """Returns the head for planners that was trained with the model, as `whole_model` does; None where none was."""
        head = self.objective.planning_head()
        if head is None:
            return None
        weights = {name: whole(tensor.detach()).cpu() for name, tensor in head.state_dict().items()}
        copy = type(head)(head.config, head.sizes)
        copy.load_state_dict(weights)
        return copy.eval()

    def state(self) -> TrainingState:
        """Returns the exact state; equal in every process, so one of them saves it.

        Where the trainer is `sharded`, this is a collective: every process calls it.

        Raises:
            TrainingFailure: some weight is not finite; such a checkpoint would only spoil the run that resumes it.
        """
        held = {f"objective/{name}": tensor for name, tensor in self.objective.state_dict().items()}
        for name, parameter in self._trained.items():
            for key, tensor in self._optimizer.state.get(parameter, {}).items():
                held[f"optimizer/{key}/{name}"] = tensor
        # A clone of each: training goes on while they are written.
        tensors = {name: whole(tensor.detach()).cpu().clone() for name, tensor in held.items()}
        for name in self._trained:
            if not tensors[f"objective/{name}"].isfinite().all():
                raise TrainingFailure(self._failure(f"weight {name} is no longer finite"))
        return TrainingState(tensors, self._meta() | {"loss_scale": self._loss_scale.state()})

    def load(self, state: TrainingState) -> None:
        """Continues from a state that a trainer of the same configuration gave, or of one with fewer steps.

        With more steps, all that follows a schedule goes on from here as in a run of so many.

        Raises:
            InputError: the state is of another configuration, or lacks a tensor.
        """
        self._check_same_run(state.meta)
        try:
            weights = {
                name: shared_like(state.tensors[f"objective/{name}"], held)
                for name, held in self.objective.state_dict().items()
            }
            moments = [self._moments(name, weight, state) for name, weight in self._trained.items()]
        except KeyError as error:
            raise InputError(f"the checkpoint lacks tensor {error}; use one that this project wrote") from error
        self.objective.load_state_dict(weights)
        optimizer_state = {i: moment for i, moment in enumerate(moments) if moment}
        self._optimizer.load_state_dict(
            {"state": optimizer_state, "param_groups": self._optimizer.state_dict()["param_groups"]}
        )
        self._loss_scale.load(state.meta.get("loss_scale", {}))
        self.completed_steps = int(state.meta["completed_steps"])
        begun = [{"from": 0, "to": self.completed_steps, "steps": int(state.meta["train"]["steps"])}]
        segments = state.meta.get("segments", begun)  # states of earlier code had one
        self._earlier = [one for one in segments if one["steps"] < self.config.steps and one["from"] < one["to"]]

    def _meta(self) -> dict[str, Any]:
        return {
            "completed_steps": self.completed_steps,
            "model": self.objective.model.config.model_dump(mode="json"),
            "objective": self.objective.config.model_dump(mode="json"),
            "train": self.config.model_dump(mode="json"),
            "segments": self.segments,
        }

    def _moments(self, name: str, weight: Tensor, state: TrainingState) -> dict[str, Tensor]:
        if not state.meta["completed_steps"]:
            return {}
        held = {key: state.tensors[f"optimizer/{key}/{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
        return {key: (tensor if key == "step" else shared_like(tensor, weight)).clone() for key, tensor in held.items()}

    def _check_same_run(self, meta: dict[str, Any]) -> None:
        ours = self._meta()
        configs = {"model": self.objective.model.config, "objective": self.objective.config, "train": self.config}
        # How often figures and checkpoints are written changes nothing that is computed.
        free = {"log_every", "checkpoint_every", "collapse_std"}
        for part, config in configs.items():
            theirs = _under_todays_names(type(config), meta.get(part, {}))
            for field, value in ours[part].items():
                if (part, field) == ("train", "steps") and theirs.get(field, 0) <= value:
                    continue
                if field not in free and _learned(theirs.get(field)) != _learned(value):
                    raise InputError(
                        f"the checkpoint was trained with {part}.{field} = {theirs.get(field)!r}, this run asks for "
                        f"{value!r}; "
                        "keep the configuration to resume, or give the run another name"
                    )

    def _forward(self, clips: Clips, step: int, logged: bool) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, self._half, enabled=self._half is not None):
            terms: dict[str, Tensor] = self._module(clips, step, self.config.steps, logged)
        return terms

    @contextlib.contextmanager
    def _draws_of(self, step: int, clips: int) -> Iterator[None]:
        """Makes what dropout draws inside a function of seed and step, and leaves the caller's generators alone."""
        with sharing(clips), seeded(self.config.seed, "dropout", step, device=self.device):
            yield

    def _watch(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            if name == "gradient_norm" and self._loss_scale.skips:
                continue
            if not math.isfinite(value):
                raise TrainingFailure(self._failure(f"{name} is {value}"))
        problem = collapse(figures.get("latent_std", float("inf")), self.config.collapse_std)
        if problem and self.completed_steps > self._warmup_steps():
            raise TrainingFailure(self._failure(problem))

    def _schedule_steps(self) -> int:
        return round(self.config.schedule_length * self.config.steps)

    def _warmup_steps(self) -> int:
        return round(self.config.warmup * self._schedule_steps())

    def _failure(self, what: str) -> str:
        remedies = [f"lower learning_rate ({self.config.learning_rate:g})", "use precision fp32"]
        if hasattr(self.objective.config, "sigreg_weight"):
            remedies.append("give the objective a larger sigreg_weight")
        return f"training failed at step {self.completed_steps}: {what}; {' or '.join(remedies)}"


def _under_todays_names(kind: type[Config], held: dict[str, Any]) -> dict[str, Any]:
    """Returns a configuration of a checkpoint as this version would have written it, if it still reads it."""
    try:
        return kind.model_validate(held).model_dump(mode="json")
    except ValidationError:
        return held


def _learned(value: Any) -> Any:
    """Returns a field's value without how it is computed, which a resumed run may change."""
    if isinstance(value, dict):
        return {name: _learned(part) for name, part in value.items() if name != "tile_elements"}
    return value
