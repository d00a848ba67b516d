"""Where things lie in a store: `datasets/<name>/…`."""

from pipelines.store.datasets.plan import ShardPlan
from pipelines.store.references import check_name

FOLDER = "datasets"


class DatasetLayout:
    """The paths of one dataset within its store."""

    def __init__(self, name: str) -> None:
        self.name = check_name("dataset", name)
        self.root = f"{FOLDER}/{name}"
        self.manifest = f"{self.root}/manifest.json"
        """The newest version's; a dataset exists when this does."""
        self.card = f"{self.root}/card.md"

    def version(self, number: int, path: str) -> str:
        """Returns the path of a file of one version; those files are never changed.

        `plan.json` is written first and claims the version for one plan, `manifest.json` last and commits it.
        """
        return f"{self.root}/versions/{number:06d}/{path}"

    def file(self, path: str) -> str:
        """Returns the store's path of a path within the dataset's folder."""
        return f"{self.root}/{path}"

    def marker(self, shard: ShardPlan) -> str:
        """Returns the path of a shard's completion marker, apart from the shards so that no reader takes it for one."""
        return f"{self.root}/completed/{shard.name}.json"
