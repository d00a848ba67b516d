"""Where a training's figures are shown besides `metrics.parquet`: one file for each kind of place."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.pretrain.records.trackers.group import TrackerGroup
    from pipelines.pretrain.records.trackers.tracker import TRACKERS, Tracked, Tracker, check_trackers

__all__ = ["TRACKERS", "Tracked", "Tracker", "TrackerGroup", "check_trackers"]

offer_lazily(__name__)
