"""`jepa worlds`."""

import json

import pytest

from flows.cli.main import main


def test_worlds_for_programs_and_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worlds", "--json"]) == 0
    worlds = {world["name"]: world for world in json.loads(capsys.readouterr().out)["worlds"]}
    assert {"two_room", "pusht"} <= set(worlds) and worlds["two_room"]["goal_kinds"] == ["uniform", "cross_room"]
    assert worlds["pusht"]["scored_quantities"]["moved_block"] == ["agent_position", "block_position", "block_angle"]
    assert (worlds["two_room"]["preset"], worlds["two_room"]["protocol"]) == ("demo", "two-room-v1")
    assert (worlds["cube"]["preset"], worlds["cube"]["protocol"]) == ("smoke", "lewm-v3")
    assert main(["worlds"]) == 0
    shown = capsys.readouterr().out
    assert "two_room: 64×64 pixels, 2 actions" in shown
    assert "cross_room (in different rooms and over 0.2 scene widths apart; scored by agent_position)" in shown
    assert "uniform (any start and goal; scored by agent_position, block_position and block_angle)" in shown
    assert "by default     preset tiny, judged under pusht-tiny-v2" in shown
    assert "gymnasium:<id of a Gymnasium environment>: any installed environment" in shown
    assert "gymnasium:<module>:<id>" in shown
