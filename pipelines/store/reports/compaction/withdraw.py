"""Takes units out of what is compacted, before the files of what lies loose of them are deleted."""

import uuid
from collections.abc import Collection
from datetime import UTC, datetime

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store.reports.compaction.compact import ATTEMPTS, TakenError, put_generation
from pipelines.store.reports.compaction.generation import Withdrawn
from pipelines.store.reports.units import look


def withdraw(store: Store, keys: Collection[str]) -> bool:
    """Has a store that is compacted hold some units no more, and returns whether it is such a store.

    A compaction that works meanwhile finds its number taken, and does not bring them back.

    Raises:
        InfraError: the store cannot be written, or others are always quicker.
    """
    for _ in range(ATTEMPTS):
        snapshot = look(store)
        old = snapshot.compacted
        if old is None:
            return False
        gone = [key for key in keys if snapshot.standing(key) is not None]
        if not gone:
            return True
        now = datetime.now(UTC)
        withdrawn = [one for one in old.generation.withdrawn if one.key not in gone]
        withdrawn += [Withdrawn(key=key, revision=snapshot.revision(key), at=now) for key in gone]
        units = [unit for key, unit in old.units.items() if key not in gone]
        try:
            put_generation(store, old, units, old.generation.files, withdrawn, uuid.uuid4().hex[:8])
        except TakenError:
            continue
        return True
    raise InfraError(f"report tables of store {store.uri!r} are written by others all the time; remove again")
