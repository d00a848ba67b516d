"""Where units of work compute: on the CPU, or on a GPU that several workers may share."""

import math
from typing import TYPE_CHECKING, Literal

from jepa.core.errors import InputError
from pipelines.executor import Executor

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]


def torch_device(wanted: Device) -> "torch.device":
    """Returns the device of this process; a Ray worker sees the GPU that it was given, or none.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    import torch

    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("device is 'cuda' and no GPU is visible here; choose 'auto' or 'cpu'")
    return torch.device(wanted)


def gpus_each(wanted: Device, executor: Executor, workers: int) -> float:
    """Returns the share of a GPU that each worker should ask Ray for; 0 where it gets none.

    As many workers share a GPU as are needed for all of them to run at once on the cluster's GPUs. A cluster that has
    none yet may start nodes that do: `cuda` asks for a whole GPU there.
    """
    if executor != "ray" or wanted == "cpu":
        return 0.0
    import ray

    gpus = float(ray.cluster_resources().get("GPU", 0.0))
    if not gpus:
        return 1.0 if wanted == "cuda" else 0.0
    return 1.0 / math.ceil(workers / gpus)
