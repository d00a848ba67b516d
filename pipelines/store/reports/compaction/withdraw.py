"""Takes units and plans out of what is compacted, before the files of what lies loose of them are deleted."""

import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store.reports.compaction.generation import Withdrawn
from pipelines.store.reports.compaction.put import ATTEMPTS, Content, TakenError, put_generation
from pipelines.store.reports.runs.plans import PlanSnapshot, loose_plans
from pipelines.store.reports.units import look


def withdraw(store: Store, keys: Collection[str] = (), plans: Collection[str] = (), *, unseen: bool = False) -> bool:
    """Has a store that is compacted hold some units and plans no more, and returns whether it is such a store.

    A compaction that works meanwhile finds its number taken, and does not bring them back.

    Args:
        store: the store.
        keys: of the units.
        plans: stems of the plans.
        unseen: also what has left no trace: of what was deleted before the store was first compacted, whoever began to
            compact it just then may have read all.

    Raises:
        InfraError: the store cannot be written, or others are always quicker.
    """
    for _ in range(ATTEMPTS):
        loose = loose_plans(store)  # before what is compacted is read
        snapshot = look(store)
        old = snapshot.compacted
        if old is None:
            return False
        planned = PlanSnapshot(loose, old)
        gone = [key for key in keys if snapshot.standing(key) is not None or (unseen and not snapshot.revision(key))]
        stems = [one for one in plans if planned.standing(one) is not None or (unseen and not planned.revision(one))]
        if not gone and not stems:
            return True
        generation = old.generation
        content = Content(
            units=[unit for key, unit in old.units.items() if key not in gone],
            files=generation.files,
            plans={stem: plan for stem, plan in old.plans.items() if stem not in stems},
            withdrawn=_with(generation.withdrawn, gone, snapshot.revision),
            withdrawn_plans=_with(generation.withdrawn_plans, stems, planned.revision),
        )
        try:
            put_generation(store, old, content, uuid.uuid4().hex[:8])
        except TakenError:
            continue
        return True
    raise InfraError(f"report tables of store {store.uri!r} are written by others all the time; remove again")


def _with(before: Sequence[Withdrawn], gone: Collection[str], revision: Callable[[str], int]) -> list[Withdrawn]:
    now = datetime.now(UTC)
    kept = [one for one in before if one.key not in gone]
    return [*kept, *(Withdrawn(key=key, revision=max(1, revision(key)), at=now) for key in gone)]
