"""Where the workers of a training meet: on one machine by a file, so that nobody listens for it on a network."""

import uuid
from pathlib import Path
from typing import Any

import ray
from ray.train.backend import BackendConfig
from ray.train.torch import TorchConfig
from ray.train.torch.config import _set_torch_distributed_env_vars, _setup_torch_process_group, _TorchBackend


def torch_config(backend: str, folder: str) -> TorchConfig:
    """Returns what Ray Train needs to know to join the workers.

    torch's own meeting place listens on every interface of the first worker's machine, which machines of a cluster
    need; all workers of a Ray on loopback find the same folder instead.

    Args:
        backend: `gloo` or `nccl`.
        folder: a private one of this machine.
    """
    if any(node["Alive"] and not node["NodeManagerAddress"].startswith("127.") for node in ray.nodes()):
        return TorchConfig(backend=backend)
    return _FileTorchConfig(backend=backend, init_method=Path(folder).as_uri())


class _FileTorchConfig(TorchConfig):
    @property
    def backend_cls(self) -> type["_FileTorchBackend"]:
        return _FileTorchBackend


class _FileTorchBackend(_TorchBackend):
    def on_start(self, worker_group: Any, backend_config: BackendConfig) -> None:
        assert isinstance(backend_config, TorchConfig)
        worker_group.execute(_set_torch_distributed_env_vars)
        # A file of its own for each group: one that has been left by a lost group would count its dead.
        meeting = f"{backend_config.init_method}/{uuid.uuid4().hex}"
        joining = [
            worker_group.execute_single_async(
                rank,
                _setup_torch_process_group,
                backend=backend_config.backend,
                world_rank=rank,
                world_size=len(worker_group),
                init_method=meeting,
                timeout_s=backend_config.timeout_s,
            )
            for rank in range(len(worker_group))
        ]
        ray.get(joining)
