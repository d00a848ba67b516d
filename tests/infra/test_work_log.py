"""The documents of the logs: what later code adds is no error, and times are UTC."""

from datetime import UTC, timedelta

from infra.work_log import FailedAttempt, UnitRecord, utc_now


def test_a_document_of_later_code_is_read() -> None:
    record = UnitRecord(name="a", run="r", status="failed", host="h", pid=1, started=utc_now())
    failure = FailedAttempt(started=utc_now(), seconds=0.5, error="ValueError: no")
    later = record.model_copy(update={"failures": (failure,)}).model_dump(mode="json") | {"watts": 70}
    later["failures"][0]["gpu"] = "H200"
    assert UnitRecord.model_validate(later).failures == (failure,)


def test_times_are_utc_and_come_back_equal() -> None:
    now = utc_now()
    assert now.tzinfo is UTC and now.microsecond % 1000 == 0
    record = UnitRecord(name="a", run="r", status="done", host="h", pid=1, started=now)
    assert UnitRecord.model_validate_json(record.model_dump_json()).started == now
    assert abs(utc_now() - now) < timedelta(minutes=1)
