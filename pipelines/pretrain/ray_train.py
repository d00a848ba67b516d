"""Pretraining by Ray Train: the workers, what they tell on the way, and what happens when one is lost."""

import os
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from infra.environment import applied_environment
from infra.errors import InfraError
from infra.progress import Phase
from jepa.core.errors import InputError
from jepa.training.trainer import TrainingFailure
from pipelines.pretrain.config import PretrainConfig
from pipelines.pretrain.mailbox import Post
from pipelines.pretrain.metrics import ProgressFigures
from pipelines.pretrain.preemption import Notice, Preempted, heeding_sigterm
from pipelines.pretrain.run_log import Warn
from pipelines.pretrain.worker import TrainingTask, log, train_worker

FINAL: dict[str, type[Exception]] = {error.__name__: error for error in (InputError, TrainingFailure)}
"""What is wrong for good, in every worker alike: it travels home as a message, for Ray would only try again."""

PLACEMENT = {"RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "15"}
"""How long an elastic group waits for its places before Ray counts again how many there are; Ray's own minute would be
spent on a node that is being drained, which counts but takes nobody."""


def train_with_ray(task: TrainingTask, phase: Phase, warn: Warn = log.warning) -> None:
    """Trains on the connected cluster; a lost worker costs the steps since the last checkpoint, a notice none.

    Raises:
        InputError: a worker said so; not tried again.
        TrainingFailure: likewise.
        InfraError: workers were lost more often than `max_failures`, or taken away more often than
            `max_preemption_failures`.
        Preempted: this process was told to make room, and the workers have kept the state.
    """
    config = task.config
    figures = ProgressFigures(phase, config.name, on_ray=True)
    preemptions = 0
    with Notice() as notice, heeding_sigterm(notice) if config.preemption_every else nullcontext():
        while True:
            heard = _fit_once(task, figures, notice, warn)
            for kind, sentence in heard.final:
                raise FINAL[kind](sentence)
            if heard.preempted is None:
                return
            if notice.given:
                raise heard.preempted
            preemptions += 1
            if 0 <= config.max_preemption_failures < preemptions:
                raise InfraError(
                    f"training of model {config.name!r} had to make room {preemptions} times, the last time at step "
                    f"{heard.preempted.step}, and max_preemption_failures is {config.max_preemption_failures}; "
                    "run again to continue from there"
                )
            warn(f"training of model {config.name!r} made room at step {heard.preempted.step} and goes on elsewhere")


@dataclass
class _Heard:
    """What came from the workers besides figures."""

    final: list[tuple[str, str]] = field(default_factory=list)
    preempted: Preempted | None = None


def _fit_once(task: TrainingTask, figures: ProgressFigures, notice: Notice, warn: Warn) -> _Heard:
    """Trains until the end, until something is wrong for good, or until a worker has to make room."""
    heard = _Heard()

    def hear(what: str, content: Any) -> None:
        if what == "figures":
            figures.tell(*content)
        elif what == "warning":
            warn(content)
        elif what == "preempted":
            heard.preempted = Preempted(*content)
        else:
            heard.final.append((what, content))

    post = Post()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="jepa-train-") as folder,
            post.listening(hear, lambda: notice.given),
            applied_environment(_placement(task.config)),
        ):
            _fit(task, folder, post)
    finally:
        post.close()
    return heard


def _fit(task: TrainingTask, folder: str, post: Post) -> None:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    config = task.config
    use_gpu = config.device != "cpu" and _cluster_has_gpus()
    trainer = TorchTrainer(
        _train_loop,
        train_loop_config={"task": task, "post": post},
        torch_config=TorchConfig(backend="nccl" if use_gpu else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=config.workers if config.min_workers is None else (config.min_workers, config.workers),
            use_gpu=use_gpu,
        ),
        # Ray keeps nothing of ours: checkpoints are committed to the store, and found there.
        run_config=RunConfig(
            name=config.name,
            storage_path=folder,
            failure_config=FailureConfig(
                max_failures=config.max_failures, max_preemption_failures=config.max_preemption_failures
            ),
        ),
    )
    # Ray's own handler ends this process as if all were well, and after the training it swallows Ctrl-C.
    trainer._register_sigint_handler = lambda controller: None
    try:
        trainer.fit()
    except Exception as error:
        raise InfraError(
            f"training of model {config.name!r} lost its workers more than {config.max_failures} times "
            f"({_reason(error)}); run again to continue from its last checkpoint"
        ) from error


def _train_loop(arguments: dict[str, Any]) -> None:
    """Runs in each worker."""
    post: Post = arguments["post"]

    def warn(sentence: str) -> None:
        log.warning(sentence)  # for the attempt's own log
        post.tell("warning", sentence)

    try:
        train_worker(
            arguments["task"],
            lambda step, figures: post.tell("figures", (step, figures)),
            warn,
            sources=(_node_is_drained, post.noticed),
        )
    except (InputError, TrainingFailure) as error:
        post.tell(type(error).__name__, str(error), surely=True)
    except Preempted as preempted:
        # Every worker ends well, or Ray would wait for the machine's last moment and count a failure.
        post.tell("preempted", (preempted.step, preempted.saved), surely=True)


def _node_is_drained() -> bool:
    """Returns whether Ray has told this worker that one of the group's nodes is being drained.

    `ray.train.get_preemption_info` tells the same and makes all workers wait for one another each time.
    """
    from ray.train.v2._internal.execution.context import get_train_context

    return get_train_context().preemption_context.preemption_info is not None


def _placement(config: PretrainConfig) -> dict[str, str]:
    elastic = config.min_workers is not None
    return {name: value for name, value in PLACEMENT.items() if elastic and name not in os.environ}


def _cluster_has_gpus() -> bool:
    import ray

    return bool(ray.cluster_resources().get("GPU"))


def _reason(error: BaseException) -> str:
    """Returns the last line of the innermost message, which names the fault."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
