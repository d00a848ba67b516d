"""What was read is held, up to a number of bytes, and what was asked for longest ago goes first."""

import pyarrow as pa

from pipelines.store.reports.held import HeldTables

TABLE = pa.table({"value": [float(i) for i in range(1000)]})


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    held = HeldTables(2 * TABLE.nbytes)
    for key in ("a", "b"):
        held.hold(key, TABLE)
    assert held.get("a") is TABLE
    held.hold("c", TABLE)
    assert held.get("b") is None and held.get("a") is TABLE and held.get("c") is TABLE


def test_what_has_no_room_at_all_is_not_held() -> None:
    held = HeldTables(TABLE.nbytes - 1)
    held.hold("a", TABLE)
    assert held.get("a") is None
