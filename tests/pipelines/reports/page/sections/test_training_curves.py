"""Training curves: which share a panel, and how several trainings are told apart."""

from typing import Any

import pandas as pd

from pipelines.reports.origins import Names, by_origin
from pipelines.reports.page.sections.training_curves import constants, constants_list, panels, training_curves
from pipelines.store.reports.rows import to_arrow, to_pandas
from tests.pipelines.reports import synthetic


def frame(**changes: Any) -> pd.DataFrame:
    shared = {**synthetic.context(**changes).model_dump(), "schema_version": 1}
    return to_pandas(to_arrow("training", synthetic.training_rows(50), shared))


def test_training_curves_share_a_panel_where_they_compare() -> None:
    names = ["loss", "prediction", "sigreg", "latent_std", "latent_std_min", "latent_std_max", "straightness"]
    shown = {panel.title: panel.metrics for panel in panels(sorted(names))}
    assert list(shown.values()) == [
        ("loss", "prediction"),
        ("latent_std_max", "latent_std", "latent_std_min"),
        ("sigreg",),
        ("straightness",),
    ]


def test_curves_are_named_where_there_are_several() -> None:
    one = frame()
    alone = training_curves(one, Names(origin for origin, _ in by_origin(one)))
    assert ">m0" not in alone and "seed 0" not in alone
    both = pd.concat([one, frame(model_digest="b" * 64)])
    drawn = training_curves(both, Names(origin for origin, _ in by_origin(both)))
    assert "m0@aaaaaaaa" in drawn and "m0@bbbbbbbb" in drawn and "loss m0@aaaaaaaa" in drawn


def test_what_never_changes_is_a_line_of_words_and_no_curve() -> None:
    shared = {**synthetic.context().model_dump(), "schema_version": 1}
    rows = synthetic.training_rows(50)
    rows += [{"seed": 0, "step": step, "metric": "workers", "value": 2.0} for step in (10, 20, 30)]
    rows += [{"seed": 0, "step": 10, "metric": "once", "value": 1.0}]
    made = to_pandas(to_arrow("training", rows, shared))
    assert constants(made) == {"workers": 2.0}
    drawn = training_curves(made, Names(origin for origin, _ in by_origin(made)))
    assert "workers" not in drawn and "effective rank" in drawn and "once" in drawn
    assert '<li>workers <data value="2">2</data></li>' in constants_list(made)
    # A second training with other workers: now it says something.
    other = to_pandas(to_arrow("training", [{**row, "value": 3.0} for row in rows], shared))
    assert "workers" not in constants(pd.concat([made, other])) and constants_list(frame()) == ""
