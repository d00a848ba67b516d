"""A fitted head in the store: `models/<model>/heads/<kind>-<digest>/` with weights, card and, last, `head.json`.

Its name says what was asked for, by content: the weights of one model, one version of a dataset, a kind with its
version and options, and a seed. Whoever asks for the same finds it there.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from jepa.core.config import Config, digest_of
from pipelines.store.references import SHORT, DatasetRef, ModelRef


class HeadRef(Config):
    """A fitted head, by content."""

    name: str
    """`inverse-1a2b3c4d`"""
    kind: str
    digest: str
    """SHA-256 of its weights' digest and of what was asked for"""

    def __str__(self) -> str:
        return self.name


class Jointly(Config):
    """How a head was trained with its model."""

    weight: float
    """of its loss"""
    detached: bool
    """whether its gradient ended at the latents"""
    longest: int
    """environment steps between the frames of a pair at most: a clip's"""


class HeadRequest(Config):
    """What is asked for when a head is fitted; everything that its weights depend on."""

    model: ModelRef
    dataset: DatasetRef
    """whose train split it is fitted on"""
    kind: str
    version: int
    """that the kind declares of itself"""
    options: dict[str, Any]
    """the kind's configuration, all fields resolved"""
    seed: int
    jointly: Jointly | None = None
    """None where it is fitted after the model, on latents that stay"""

    @property
    def digest(self) -> str:
        """Returns what names it."""
        # Heads that are fitted after the model keep the names that they had before there were others.
        return digest_of(self.model_dump(mode="json", exclude={"jointly"} if self.jointly is None else None))

    @property
    def name(self) -> str:
        """Returns the name of the head that it asks for: `inverse-1a2b3c4d`."""
        return f"{self.kind}-{self.digest[:SHORT]}"


class HeadManifest(Config):
    """What `head.json` says: the head itself, what it was fitted on, and how that went."""

    # A field that later code adds is none of this code's business.
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    schema_version: Literal[1] = 1
    request: HeadRequest
    sizes: dict[str, Any]
    """of the latents and actions that it is made for"""
    privileged: bool
    """whether it was fitted on recorded states"""
    weights_sha256: str
    card_sha256: str
    parameters: int
    episodes: int
    """of the train split, on which it was fitted"""
    frames: int
    """of these episodes"""
    loss: float
    """mean over the last tenth of the steps"""
    seconds: float
    """wall time of the fit"""
    code_version: str
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def name(self) -> str:
        """Returns the head's name."""
        return self.request.name

    @property
    def reference(self) -> HeadRef:
        """Returns what names this head by its content."""
        digest = digest_of({"weights": self.weights_sha256, "request": self.request.digest})
        return HeadRef(name=self.name, kind=self.request.kind, digest=digest)


def head_card(manifest: HeadManifest) -> str:
    """Returns what a stranger should know of a head, as Markdown."""
    request = manifest.request
    options = "".join(f"| {name} | {value} |\n" for name, value in sorted(request.options.items()))
    states = "and recorded states of them: **privileged**" if manifest.privileged else "alone"
    return (
        f"# Head {request.name}\n\n"
        f"A head of kind `{request.kind}` (version {request.version}), {manifest.parameters:,} parameters, "
        f"{_origin(request)}\n\n"
        f"- fitted on latents {states}: {manifest.episodes:,} episodes, {manifest.frames:,} frames of the train "
        f"split of dataset `{request.dataset}`\n"
        f"- seed {request.seed}, {manifest.seconds:.0f} s, loss {manifest.loss:.4g} over the last tenth of the steps\n"
        f"- code {manifest.code_version}\n\n"
        f"| option | value |\n|---|---|\n{options}"
    )


def _origin(request: HeadRequest) -> str:
    """Returns what a head was trained on, and whether that stood still."""
    if request.jointly is None:
        return f"on the frozen latents of model `{request.model}`, whose weights it left as they were."
    ended = "ended at the latents" if request.jointly.detached else "reached the encoder"
    return (
        f"**trained jointly** with model `{request.model}`, at weight {request.jointly.weight:g}; its gradient "
        f"{ended}. Its pairs lay within a clip, at most {request.jointly.longest} environment steps apart."
    )
