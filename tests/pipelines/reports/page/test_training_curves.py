"""Training curves: which share a panel, and how several trainings are told apart."""

from typing import Any

import pandas as pd

from pipelines.reports.origins import Names, by_origin
from pipelines.reports.page.training_curves import panels, training_curves
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
