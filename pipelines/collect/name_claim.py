"""Takes a dataset's name, or its next version, for one plan, so that two plans never mix their shards under one name.

A plan under which nothing was finished and nobody works blocks nobody: another one may take its place.
"""

import logging
import time
from datetime import UTC, datetime

from infra.errors import InfraError
from jepa.core.config import to_json
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.integrity.digests import parse_plan
from pipelines.store.datasets.manifest import check_same_plan
from pipelines.store.datasets.plan import DatasetPlan
from pipelines.store.logs import LogFolder, job_status
from pipelines.store.sealed import read_if_there, seal

KIND = "collect"
START_SECONDS = 3.0
"""What another collector gets, after it has written its plan, to say in its log that it works."""

log = logging.getLogger(__name__)


def log_folder(dataset: DatasetHandle) -> LogFolder:
    """Returns where the collecting of a dataset leaves its log."""
    return LogFolder(dataset.store, KIND, dataset.name)


def claim_version(dataset: DatasetHandle, plan: DatasetPlan, old_shards: int) -> None:
    """Writes the plan of a version, in the place of one under which nothing was finished and nobody works.

    Args:
        dataset: the name.
        plan: what it is taken for.
        old_shards: shards of the version before.

    Raises:
        InputError: it is taken for another plan.
        InfraError: what holds it cannot be read.
    """
    store, path = dataset.store, dataset.layout.version(plan.version, "plan.json")
    data = seal(to_json(plan))
    if store.write_if_absent(path, data):
        return
    held = read_if_there(store, path)
    if held == data:
        return
    if _is_abandoned(dataset, plan, old_shards):
        time.sleep(START_SECONDS)
        if read_if_there(store, path) == held and _is_abandoned(dataset, plan, old_shards):
            log.warning("nothing was finished under the plan that held dataset %r; it is replaced", dataset.name)
            store.delete(path)
            store.write_if_absent(path, data)  # another collector may be first, and is found below
    check_claimed(dataset, plan)


def check_claimed(dataset: DatasetHandle, plan: DatasetPlan) -> None:
    """Passes where the version is taken for this plan; raises as `claim_version` does."""
    store, path = dataset.store, dataset.layout.version(plan.version, "plan.json")
    data = read_if_there(store, path)
    held = None if data is None else parse_plan(data)
    if held is None:
        raise InfraError(f"{store.address(path)} cannot be read as a plan; delete it or choose another name")
    check_same_plan(dataset.name, held, plan)


def _is_abandoned(dataset: DatasetHandle, plan: DatasetPlan, old_shards: int) -> bool:
    """Returns whether the version was not committed, has no finished shard, and nobody says that it is being made."""
    store, layout = dataset.store, dataset.layout
    if any(store.exists(layout.version(plan.version, f"{name}.json")) for name in ("manifest", "digests")):
        return False
    job = job_status(store, f"{KIND}-{dataset.name}", datetime.now(UTC))
    if job is not None and job.status == "running":
        return False
    finished = set(store.list(f"{layout.root}/completed/"))
    return finished <= {layout.marker(plan.shard(number)) for number in range(old_shards)}
