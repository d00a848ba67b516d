"""The auxiliary head in a world model: what is measured, and that the head is what differs."""

import pytest

from jepa.studies import CellRows, run_study

GRID = [{"experiment": "world_model", "head": [False, True], "aux_weight": 5.0, "seed": 0, "steps": 150}]


@pytest.mark.slow
def test_the_head_makes_the_position_easier_to_read() -> None:
    result = run_study("auxiliary", grid=GRID)
    rows = CellRows(result.rows)
    wanted = {("probe_r2", "agent_position"), ("probe_r2", "distractor"), ("regret", "cross_room")}
    wanted |= {("goals_reached", "uniform"), ("regret", "uniform"), ("goals_reached", "cross_room")}
    for head in (False, True):
        held = rows.where(head=head).rows
        assert wanted <= {(row["metric"], row["quantity"]) for row in held}
        assert all(row["ci_low"] <= row["value"] <= row["ci_high"] and row["n"] >= 40 for row in held)
    read = {head: rows.by_seed("probe_r2", head=head, quantity="agent_position")[0] for head in (False, True)}
    assert read[True] > read[False] + 0.05
    verdicts = {claim.name: finding.verdict for claim, finding in result.findings}
    assert verdicts["head-helps-probes"] == "not decided"  # of one seed
