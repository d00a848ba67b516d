"""What Prefect shows never stands in the way of the work."""

import pytest

from flows.runs.artifacts import artifact_key
from flows.runs.progress_artifacts import ProgressArtifacts
from infra.progress import Progress


def test_keys_are_as_prefect_wants_them() -> None:
    assert artifact_key("collect two_room-smoke.s0") == "collect-two-room-smoke-s0"


def test_a_server_that_does_not_answer_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        Progress(ProgressArtifacts()).phase("p", 2, "u") as phase,
    ):
        phase.advance(2)
    assert phase.state.done == 2
