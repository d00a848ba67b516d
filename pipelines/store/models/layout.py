"""Where things lie in a store: `models/<name>/…`."""

from pipelines.store.references import check_name

FOLDER = "models"


class ModelLayout:
    """The paths of one model within its store."""

    def __init__(self, name: str) -> None:
        self.name = check_name("model", name)
        self.root = f"{FOLDER}/{name}"
        self.config = f"{self.root}/config.json"
        """The newest manifest; a model exists when this does."""
        self.manifests = f"{self.root}/manifests/"
        self.digests = f"{self.root}/digests/"
        self.claims = f"{self.root}/claims/"
        self.checkpoints = f"{self.root}/checkpoints/"
        self.heads = f"{self.root}/heads/"
        """Heads that were fitted on the model's latents, a folder each."""
        self.card = f"{self.root}/card.md"
        self.curve = f"{self.root}/metrics.parquet"
        self.early_weights = f"{self.root}/model.safetensors"
        """Where weights lay before they were stored under their digest."""

    def weights(self, sha256: str) -> str:
        """Returns the path of weights by the digest of their bytes; they are never changed."""
        return f"{self.root}/weights/{sha256}.safetensors"

    def manifest(self, digest: str) -> str:
        """Returns the path of a manifest by the model's digest; it is never changed."""
        return f"{self.manifests}{digest}.json"

    def digest(self, digest: str) -> str:
        """Returns the path of what is recorded of a manifest's bytes, by the model's digest."""
        return f"{self.digests}{digest}.json"

    def claim(self, number: int) -> str:
        """Returns the path of a claim to the name; the highest number holds it."""
        return f"{self.claims}{number:06d}.json"

    def checkpoint(self, step: int, file: str) -> str:
        """Returns the path of a file of the checkpoint of a step."""
        return f"{self.checkpoints}step-{step:08d}/{file}"

    def head(self, name: str, file: str) -> str:
        """Returns the path of a file of a head."""
        return f"{self.heads}{name}/{file}"

    def head_weights(self, name: str, sha256: str) -> str:
        """Returns the path of a head's weights by the digest of their bytes; they are never changed."""
        return self.head(name, f"weights/{sha256}.safetensors")

    def file(self, path: str) -> str:
        """Returns the store's path of a path within the model's folder."""
        return f"{self.root}/{path}"
