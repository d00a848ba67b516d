"""Path scenes: goals reached and goals missed, taking turns among the kinds of goal."""

from pipelines.reports.page.drawings.of_evaluations.planning.path_scenes import choose_episodes
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_successes_and_failures_are_shown_apart() -> None:
    rows = frame("episodes", synthetic.planning_episodes(6))
    own = rows[rows.planner == "cem"]
    reached, missed = drawn("path_scenes", "episodes", own)
    assert (reached.heading, missed.heading) == ("Goals reached · scope", "Goals missed · scope")
    assert reached.content.count("problem") == 4 and missed.content.count("problem") == 2
    assert [block.heading for block in drawn("path_scenes", "episodes", own[own.success])] == ["Goals reached · scope"]


def test_kinds_of_goal_take_turns_and_scenes_with_a_frame_come_first() -> None:
    rows = synthetic.planning_episodes(6)
    for row in rows:
        if row["problem"] == 0:
            row["start_frame"] = None
    own = frame("episodes", rows)
    chosen = choose_episodes(own[own.planner == "cem"], True, 3)
    assert list(chosen.problem) == [1, 4, 3] and list(chosen.goal) == ["cross_room", "uniform", "cross_room"]
