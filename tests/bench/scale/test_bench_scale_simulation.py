"""The simulation keeps to what can be computed by hand, and `docs/scale.md` shows what it and the benchmarks kept."""

from dataclasses import replace

import numpy as np
import pytest

from tests.bench.scale.bench_scale_simulation import (
    UNITS_EACH,
    Assumed,
    Driver,
    Reads,
    kept,
    simulate_executor,
    simulate_loader,
)
from tests.bench.scale.scale_tables import tables
from tests.conftest import ROOT

EVEN = np.ones(1)
FREE = Driver(unit=0.0, heartbeat=0.0, pending={"1": 0.0, "1000": 0.0})
AT_ONCE = Assumed(s3_puts_a_second=1e12, s3_gets_a_second=1e12, request_seconds=0.0, node_bytes_a_second=1e15)


def test_workers_that_wait_for_nobody_are_linear() -> None:
    for workers in (1, 7, 300):
        found = simulate_executor(workers, 2.0, EVEN, FREE, AT_ONCE, puts=3)
        assert found["units_a_second"] == pytest.approx(workers / 2.0, rel=1e-3) and found["share_of_linear"] == 1.0


def test_a_driver_hands_out_no_more_than_it_can_pay_for() -> None:
    driver = replace(FREE, unit=0.01)
    few, many = (simulate_executor(workers, 1.0, EVEN, driver, AT_ONCE, puts=1) for workers in (10, 1000))
    assert few["share_of_linear"] > 0.95
    assert many["units_a_second"] == pytest.approx(100, rel=0.1) and many["driver_busy"] > 0.9


def test_heartbeats_and_what_is_pending_cost_the_driver_more_with_more_workers() -> None:
    driver = Driver(unit=0.01, heartbeat=0.01, pending={"1": 0.0, "1000": 0.01})
    assert driver.seconds_a_unit(1000) == pytest.approx((0.01 + 2 * 0.01) / (1 - 50 * 0.01))
    assert replace(driver, heartbeat=0.03).seconds_a_unit(1000) == pytest.approx(0.01 + 2 * 0.01 + 50 * 0.03)


def test_a_store_answers_no_more_than_it_may() -> None:
    slow = replace(AT_ONCE, s3_puts_a_second=100.0)
    found = simulate_executor(1000, 1.0, EVEN, FREE, slow, puts=5)
    assert found["units_a_second"] == pytest.approx(20, rel=0.1) and found["store_busy"] > 0.9


def test_the_same_seed_gives_the_same_figures() -> None:
    spread, driver = np.array([0.5, 1.0, 1.5]), replace(FREE, unit=0.001)
    one, two = (simulate_executor(30, 1.0, spread, driver, Assumed(), puts=4) for _ in range(2))
    assert one == two and one["share_of_linear"] < 1.0
    assert simulate_loader(8, Reads(16, 8e3), 6e3, Assumed()) == simulate_loader(8, Reads(16, 8e3), 6e3, Assumed())
    assert UNITS_EACH > 1


def test_ranks_wait_for_what_is_slower_than_they_are() -> None:
    held = Reads(0, 0.0)
    assert simulate_loader(100, held, 6000.0, AT_ONCE)["data_wait"] == 0.0
    half = AT_ONCE.gpu_clips_a_second / AT_ONCE.loader_cores_a_gpu / 2
    assert simulate_loader(100, held, half, AT_ONCE)["data_wait"] == pytest.approx(0.5, abs=0.01)
    limited = replace(AT_ONCE, s3_gets_a_second=5000.0)
    asked = simulate_loader(100, Reads(16, 1.0), 1e9, limited)
    assert asked["gets_a_second"] == pytest.approx(5000, rel=0.02) and asked["data_wait"] > 0.9
    narrow = replace(AT_ONCE, node_bytes_a_second=8 * 16 * 1e6 / (2 * 128 / 5000))
    assert simulate_loader(8, Reads(16, 1e6), 1e9, narrow)["data_wait"] == pytest.approx(0.5, abs=0.02)


def test_the_page_shows_what_was_kept() -> None:
    page = (ROOT / "docs/scale.md").read_text()
    assert [name for name, text in tables(kept).items() if text not in page] == []
