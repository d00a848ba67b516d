"""A Ray cluster of several raylets with a token and a dashboard, whose nodes are killed as lines on standard input say.

`python -m tests.chaos.raylets NODES` prints a line of JSON for each state: the variables that lead to the cluster,
and its dashboard's address. It obeys `kill N`, `add`, `restart` (the head, and with it all nodes) and `end`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.processes.environment import applied_environment
from infra.ray_cluster.access import local_access
from tests.ray_address import note_address_in

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 80_000_000
SOON = {"health_check_period_ms": 1000}


class Raylets:
    """The cluster, as long as this process lives."""

    def __init__(self, nodes: int, temp_dir: str) -> None:
        self._nodes, self._temp_dir, self._added = nodes, temp_dir, 0
        # A port that nobody else is given as long as this one is bound; who follows a job finds a new head there.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))
        self._begin()

    def _begin(self) -> None:
        from ray.cluster_utils import Cluster

        # An agent's own port would be that of every other head on this machine, and without it there are no jobs.
        head = {
            "num_cpus": 0,
            "object_store_memory": MEMORY,
            "temp_dir": self._temp_dir,
            "dashboard_agent_listen_port": 0,
            "_system_config": SOON,
        }
        dashboard = {"include_dashboard": True, "dashboard_host": "127.0.0.1", "dashboard_port": self.port}
        note_address_in(self._temp_dir)
        self.cluster = Cluster(initialize_head=True, head_node_args=head | dashboard)
        self.workers = [self.add() for _ in range(self._nodes)]
        self.cluster.wait_for_nodes()

    @property
    def port(self) -> int:
        return int(self._port.getsockname()[1])

    def add(self) -> Any:
        # As machines of their own have: a second node would unpack the job's folder where its driver works, once more.
        self._added += 1
        return self.cluster.add_node(
            num_cpus=1, object_store_memory=MEMORY, runtime_env_dir_name=f"runtime-{self._added}"
        )

    def kill(self, number: int) -> None:
        self.cluster.remove_node(self.workers.pop(number), allow_graceful=False)

    def restart(self) -> None:
        """Kills the head and what hangs on it, and starts another cluster at the same address."""
        self.cluster.shutdown()
        self._begin()


class Control:
    """A cluster in another process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.variables: dict[str, str] = {}
        """what leads to it: the address of its dashboard, the token"""
        self._read()

    @property
    def dashboard(self) -> str:
        return self.variables["RAY_API_SERVER_ADDRESS"]

    @property
    def token(self) -> str:
        return Path(self.variables["RAY_AUTH_TOKEN_PATH"]).read_text().strip()

    def do(self, order: str) -> None:
        """Has the cluster changed, and returns when it is."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        self._read()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.variables = json.loads(self._process.stdout.readline())


@contextmanager
def raylets(nodes: int, **variables: str) -> Iterator[Control]:
    """A cluster with so many nodes of one core beside the head, whose processes have these variables."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # jobs find `jepa`, as in the image
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.raylets", str(nodes)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": path} | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    try:
        yield Control(process)
    finally:
        process.stdin.close()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()  # its watchdog ends what it leaves
            process.wait()


def main(nodes: int) -> None:
    """Prints the state, and changes it, until standard input ends."""
    # On a busy machine a raylet takes longer to start than Ray's 30 s, and workers that give way to all never begin.
    patient = {"RAY_raylet_start_wait_time_s": "120", "RAY_worker_niceness": "0"}
    with applied_environment(patient), local_access() as session:
        cluster = Raylets(nodes, str(session.temp_dir))

        def show() -> None:
            address = f"http://127.0.0.1:{cluster.port}"
            variables = session.variables | {"RAY_API_SERVER_ADDRESS": address}
            print(json.dumps(variables), flush=True)

        show()
        for line in sys.stdin:
            word, *rest = line.split()
            if word == "kill":
                cluster.kill(int(rest[0]))
            elif word == "add":
                cluster.workers.append(cluster.add())
            elif word == "restart":
                cluster.restart()
            else:
                break
            show()
        cluster.cluster.shutdown()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(int(sys.argv[1]))
