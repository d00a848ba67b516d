"""Charts that studies of trained models have in common: a bar for each recipe, its mean over seeds with an interval."""

from collections.abc import Mapping

from jepa.evaluation.declarations import Chart


def seed_bars(
    table: str, label: str, shown: Mapping[str, tuple[str, str, str]], readings: Mapping[str, str]
) -> tuple[Chart, ...]:
    """Returns a chart for each metric of a study's table.

    Args:
        table: the study's, `study_<name>`.
        label: field of a cell that names the bars.
        shown: heading, title of the axis, and column that makes panels or nothing, by metric.
        readings: how a chart is read, of those metrics that say so.
    """
    return tuple(
        Chart(
            "seed_bars",
            table=table,
            where={"metric": metric},
            heading=heading,
            reading=readings.get(metric, ""),
            options={"label": label, "title": title} | ({"panel": panel} if panel else {}),
        )
        for metric, (heading, title, panel) in shown.items()
    )
