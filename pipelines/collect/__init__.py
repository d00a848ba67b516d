"""Collects datasets: a plan, its shards in parallel, one commit."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.collect.config import CollectConfig, WorkConfig, plan_dataset
    from pipelines.collect.imports.config import ImportConfig
    from pipelines.collect.imports.job import import_hdf5, import_notices, plan_import
    from pipelines.collect.job import collect
    from pipelines.collect.repair import repair
    from pipelines.collect.shard import collect_shard

__all__ = [
    "CollectConfig",
    "ImportConfig",
    "WorkConfig",
    "collect",
    "collect_shard",
    "import_hdf5",
    "import_notices",
    "plan_dataset",
    "plan_import",
    "repair",
]

offer_lazily(__name__)
