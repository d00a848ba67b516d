"""Pretraining by Ray Train: the workers, what they send on the way, and what happens when one is lost."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from infra.errors import InfraError
from infra.observability.event_log import configure_logging
from infra.processes.background import BackgroundThread
from infra.processes.environment import applied_environment
from infra.progress import Phase
from infra.ray_cluster.connection import report_shortage
from infra.settings import RaySettings
from jepa.core.errors import InputError
from jepa.training.trainer import TrainingFailure
from pipelines.pretrain.cluster.mailbox import COLLECT_SECONDS, FAILURE, Mailbox
from pipelines.pretrain.cluster.preemption import Preempted, PreemptionSignal, Source, preemption_signal
from pipelines.pretrain.config import PretrainConfig
from pipelines.pretrain.records.metrics import ProgressFigures
from pipelines.pretrain.records.run_log import Warn
from pipelines.pretrain.task import TrainingTask
from pipelines.pretrain.train import log, train_worker

if TYPE_CHECKING:
    from ray.train.v2.torch.torch_trainer import TorchTrainer

PLACEMENT = {"RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "15"}
"""How long an elastic group waits for its places before Ray counts again how many there are; Ray's own minute would be
spent on a node that is being drained, which counts but takes nobody."""

LOOK_SECONDS = 0.2
"""Time between two looks at whether the workers have ended."""
END_SECONDS = 5.0
"""How long the thread of Ray's `fit` is waited for once its controller was ended."""


def train_with_ray(task: TrainingTask, phase: Phase, warn: Warn = log.warning, sources: Sequence[Source] = ()) -> None:
    """Trains on the connected cluster; a lost worker costs the steps since the last checkpoint, a preempted one none.

    Args:
        task: what to train, and where.
        phase: shows the steps.
        warn: gets a sentence for what went wrong and does not stop the training.
        sources: of preemption signals to this process, besides SIGTERM.

    Raises:
        InputError: a worker raised it; not tried again.
        TrainingFailure: likewise.
        InfraError: a worker raised one that is final, such as a damaged chunk's; or workers were lost more often than
            `max_failures`, or taken away more often than `max_preemption_failures`.
        Preempted: this process received a preemption signal, and the workers have kept the state.
    """
    config = task.config
    figures = ProgressFigures(phase, config.name)
    preemptions = 0
    with preemption_signal(sources, sigterm=config.preemption_every > 0) as preemption:
        while True:
            preempted = _fit_once(task, figures, preemption, warn)
            if preempted is None:
                return
            if preemption.received:
                raise preempted
            preemptions += 1
            if 0 <= config.max_preemption_failures < preemptions:
                raise InfraError(
                    f"training of model {config.name!r} was preempted {preemptions} times, at last at step "
                    f"{preempted.step}, and max_preemption_failures is {config.max_preemption_failures}; "
                    "run again to continue from there"
                )
            warn(f"training of model {config.name!r} was preempted at step {preempted.step} and goes on elsewhere")


@dataclass
class Outcome:
    """What the workers sent of how they ended."""

    failure: Exception | None = None
    """what would be wrong again in every worker; the first that came"""
    preempted: Preempted | None = None
    begun: bool = False
    """whether a worker has begun its loop, so that there may be something to keep"""


def is_final(error: Exception) -> bool:
    """Returns whether another attempt would fail alike, so that Ray is not to make it."""
    return isinstance(error, InputError | TrainingFailure) or (isinstance(error, InfraError) and error.final)


def _fit_once(
    task: TrainingTask, figures: ProgressFigures, preemption: PreemptionSignal, warn: Warn
) -> Preempted | None:
    """Trains until the end, which gives None, until something is wrong for good, or until a preemption signal."""
    outcome = Outcome()

    def handle(kind: str, content: Any) -> None:
        outcome.begun = True
        if kind == "figures":
            figures.show(*content)
        elif kind == "begun":
            figures.attempt_begins()
        elif kind == "warning":
            warn(content)
        elif kind == "preempted":
            outcome.preempted = content
        else:
            outcome.failure = outcome.failure or content

    mailbox = Mailbox()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="jepa-train-") as folder,
            applied_environment(_placement(task.config)),
        ):
            fit = _Fit(task.config, _trainer(task, folder, mailbox))
            with mailbox.delivering(handle, lambda: preemption.received) as check:
                lost = fit.wait(preemption, lambda: outcome.begun, check)
    finally:
        mailbox.close()
    # A worker that stopped for good takes the others down, which wait for it: its own sentence is the reason.
    if outcome.failure is not None:
        raise outcome.failure
    if fit.left_behind:
        return Preempted(figures.last_step if outcome.begun else None, saved=False)
    if lost is not None:
        raise InfraError(
            f"training of model {task.config.name!r} lost its workers more than {task.config.max_failures} times "
            f"({_reason(lost)}); run again to continue from its last checkpoint"
        ) from lost
    return outcome.preempted


class _Fit:
    """Ray's `fit` in a thread, so that this one acts on a signal at any time, whatever Ray waits for."""

    def __init__(self, config: PretrainConfig, trainer: "TorchTrainer") -> None:
        self.left_behind = False
        """whether workers did not end in time after a signal; with the connection to Ray they do"""
        self._stop_seconds = config.stop_seconds
        self._ended = threading.Event()
        self._error: Exception | None = None
        BackgroundThread(partial(self._run, trainer), "ray-train-fit").start()

    def wait(
        self, preemption: PreemptionSignal, begun: Callable[[], bool], check: Callable[[], None]
    ) -> Exception | None:
        """Returns how Ray lost the workers, if it did, as soon as they have ended or are left behind.

        Args:
            preemption: after which workers that have begun have `stop_seconds`, and others are not waited for.
            begun: whether any has.
            check: raises what ended another thread on which the training depends.
        """
        signalled: float | None = None
        try:
            while not self._ended.wait(LOOK_SECONDS):
                check()
                if not preemption.received:
                    continue
                signalled = signalled or time.monotonic()
                if time.monotonic() - signalled > (self._stop_seconds if begun() else 2 * COLLECT_SECONDS):
                    self.left_behind = True
                    return None
            return self._error
        finally:
            # Ctrl-C as well: a thread that still asks Ray when the connection ends takes this process down with it.
            if not self._ended.is_set():
                _end_controllers()
                self._ended.wait(END_SECONDS)

    def _run(self, trainer: "TorchTrainer") -> None:
        try:
            trainer.fit()
        except Exception as error:
            self._error = error
        except BaseException as error:  # or the training would pass for done
            self._error = InfraError(f"the thread of Ray Train was ended by {error!r}")
        finally:
            self._ended.set()


def _end_controllers() -> None:
    """Ends what leads Ray Train's workers in the name of this process, and with it the workers."""
    import ray
    from ray._private.state import actors
    from ray._private.worker import global_worker

    job, worker = ray.get_runtime_context().get_job_id(), cast(Any, global_worker)
    for number, actor in actors().items():
        own = actor["JobID"] == job and actor["State"] != "DEAD"
        if own and "TrainController" in actor["ActorClassName"]:
            worker.core_worker.kill_actor(ray.ActorID.from_hex(number), True)


def _trainer(task: TrainingTask, folder: str, mailbox: Mailbox) -> "TorchTrainer":
    """Returns Ray's trainer of the task; what it wants to keep for itself goes to the folder."""
    # `ray.train` shows a type checker the classes of its first version, and gives these.
    from ray.train.v2.api.config import FailureConfig, RunConfig, ScalingConfig
    from ray.train.v2.torch.torch_trainer import TorchTrainer

    from pipelines.pretrain.cluster.process_group import torch_config

    config = task.config
    use_gpu = _use_gpu(config)
    report_shortage(config.min_workers or config.workers, config.cpus, float(use_gpu))
    return TorchTrainer(
        _train_loop,
        train_loop_config={"task": task, "mailbox": mailbox},
        torch_config=torch_config("nccl" if use_gpu else "gloo", folder),
        scaling_config=ScalingConfig(
            num_workers=config.workers if config.min_workers is None else (config.min_workers, config.workers),
            use_gpu=use_gpu,
            resources_per_worker={"CPU": config.cpus},
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


def _train_loop(arguments: dict[str, Any]) -> None:
    """Runs in each worker."""
    configure_logging(in_background=True)
    mailbox: Mailbox = arguments["mailbox"]
    if mailbox.failed():
        return

    mailbox.send("begun", None)

    def warn(sentence: str) -> None:
        log.warning(sentence)  # for the attempt's own log
        mailbox.send("warning", sentence)

    try:
        train_worker(
            arguments["task"],
            lambda step, figures: mailbox.send("figures", (step, figures)),
            warn,
            sources=(_node_is_drained, mailbox.stop_requested),
        )
    except Preempted as preempted:
        # Every worker ends well, or Ray would wait for the machine's last moment and count a failure.
        mailbox.send("preempted", preempted, wait=True)
    except Exception as error:
        if not is_final(error):
            raise
        # It travels home as it is: of what Ray makes of it, no sentence is left.
        mailbox.send(FAILURE, error, wait=True)
        if isinstance(error, InfraError):
            # The others may wait for this worker; Ray ends them, and those that it starts again find that it is over.
            raise


def _node_is_drained() -> bool:
    """Returns whether Ray has announced to this worker that one of the group's nodes is being drained.

    `ray.train.get_preemption_info` gives the same and makes all workers wait for one another each time.
    """
    from ray.train.v2._internal.execution.context import get_train_context

    return get_train_context().preemption_context.preemption_info is not None


def _placement(config: PretrainConfig) -> dict[str, str]:
    elastic = config.min_workers is not None
    return {name: value for name, value in PLACEMENT.items() if elastic and name not in os.environ}


def _use_gpu(config: PretrainConfig) -> bool:
    """Returns whether workers ask Ray for a GPU: where one is asked for, also of a cluster that has none yet."""
    import ray

    if config.device != "auto":
        return config.device == "cuda"
    there = bool(ray.cluster_resources().get("GPU"))
    if not there and RaySettings.from_environment().address is not None:
        log.warning(
            "the cluster has no GPU now, so model %r trains on CPUs; give device 'cuda' to wait for GPUs", config.name
        )
    return there


def _reason(error: BaseException) -> str:
    """Returns the last line of the innermost message, which names the fault."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
