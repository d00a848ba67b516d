"""Tables: rows as they are, without columns that only say where they come from."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_columns_with_numbers_and_words_are_shown_as_text() -> None:
    rows = synthetic.planning_episodes(1)
    rows[0]["start_state"] = "<script>"
    (block,) = drawn("table", "episodes", frame("episodes", rows))
    head, _, body = str(block.content).partition("<tbody>")
    assert "<th>planner</th>" in head and "<th>final distance</th>" in head
    assert all(f"<th>{name}</th>" not in head for name in ("model", "run", "path", "start frame", "created at", "seed"))
    assert body.count("<tr>") == 3 and "&lt;script&gt;" in body and "<script>" not in body


def test_columns_may_be_named() -> None:
    (block,) = drawn(
        "table", "episodes", frame("episodes", synthetic.planning_episodes(1)), columns=["goal", "success"]
    )
    assert str(block.content).count("<th>") == 2 and "True" in block.content
