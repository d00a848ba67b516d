"""A flow run outlives twenty seconds without Prefect's server: it ends well afterwards, and can still be cancelled."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.storage import open_store
from infra.work_log import utc_now
from pipelines.store.logs import job_status
from tests.conftest import held_port, serve_prefect
from tests.flows.conftest import asking, prefect_command, user_of, wait_for, worker_of
from tests.flows.jobs import finished
from tests.flows.runs.engine import set_state, state_of
from tests.flows.runs.held import Held
from tests.pipelines.small_dataset import stored_bytes

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.long]

OUTAGE_SECONDS = 20
CONFIG = {"world": "held_room", "episodes": 20, "steps": 200, "image_size": 16, "actors": 2, "executor": "local"}


class Surroundings:
    """A user of a server of this module's own, which is stopped and started again with its database and address."""

    def __init__(self, server: dict[str, str], folder: Path) -> None:
        self.folder, self.held = folder, Held(folder / "modules")
        self.environment = user_of(server) | self.held.variables
        self.ask = asking(server["PREFECT_API_URL"])

    def start_run(self, name: str) -> str:
        """Starts a collection that is held, and returns the flow run's id once it is at work."""
        self.held.hold("world")
        deployment = self.ask("deployments/name/collect/collect", method="GET")["id"]
        store = open_store(str(self.folder / "store"))
        parameters = {"store": store.uri, "config": CONFIG | {"name": name}}
        run = str(self.ask(f"deployments/{deployment}/create_flow_run", {"parameters": parameters})["id"])
        wait_for(lambda: job_status(store, f"collect-{name}", utc_now()), "the job", 300)
        return run


@pytest.mark.timeout(1500)
def test_a_run_outlives_an_outage_of_the_server_and_can_be_cancelled_after_it(tmp_path: Path) -> None:
    home = tmp_path / "prefect"
    home.mkdir()
    with held_port() as port, ExitStack() as working:
        with serve_prefect(home, port) as server:
            around = Surroundings(server, tmp_path)
            prefect = prefect_command(around.environment)
            prefect("work-pool", "create", "local", "--type", "process")
            prefect("--no-prompt", "deploy", "--name", "collect")
            working.enter_context(worker_of(around.environment)(tmp_path / "worker.log"))
            ends, cancelled = around.start_run("d0"), around.start_run("d1")
        time.sleep(OUTAGE_SECONDS)
        with serve_prefect(home, port):
            assert {state_of(around.ask, run) for run in (ends, cancelled)} == {"Running"}
            assert set_state(around.ask, cancelled, "CANCELLING") == "ACCEPT"
            wait_for(lambda: state_of(around.ask, cancelled) == "Cancelled", "the cancellation", 240)
            assert state_of(around.ask, ends) == "Running"
            around.held.release()
            wait_for(lambda: state_of(around.ask, ends) == "Completed", "the end of the other run", 300)
    store = open_store(str(tmp_path / "store"))
    undisturbed = open_store(str(tmp_path / "undisturbed"))
    for one, name in ((store, "d1"), (undisturbed, "d0"), (undisturbed, "d1")):
        flags = [f"--{key.replace('_', '-')}={value}" for key, value in (CONFIG | {"name": name}).items()]
        done = finished(["collect", "--store", one.uri, *flags], tmp_path, 300, **around.held.variables)
        assert done.returncode == 0, done.stderr
    for name in ("d0", "d1"):
        assert stored_bytes(store, name) == stored_bytes(undisturbed, name)
