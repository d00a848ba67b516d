"""How others name the tensors of an encoder: each of ours with those that, one below another, make it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from jepa.models.weights_file import under_prefix

COUNTER = "num_batches_tracked"
"""What torch's BatchNorm counts and ours does not; it plays no part in what is computed."""

Names = Iterator[tuple[str, tuple[str, ...]]]
"""Our name, and theirs in order."""


@dataclass(frozen=True)
class Layout:
    """One way in which the weights of an encoder are published."""

    title: str
    """What a reader of a message knows it by."""
    marker: str
    """A tensor that tells it from other layouts; what a file has before that name is a wrapper's prefix."""
    names: Callable[[Any], Names]
    """Takes the encoder's configuration."""
    unused: tuple[str, ...] = ()
    """How tensors begin that play no part in the features."""

    def find(self, tensors: Mapping[str, Tensor], prefix: str | None = None) -> dict[str, Tensor] | None:
        """Returns the tensors of a state dict under the layout's names; None where they are in another layout.

        Raises:
            InputError: there are several models, and `prefix` chooses none of them.
        """
        held = under_prefix(tensors, self.marker, prefix)
        return None if held is None else {n: tensor for n, tensor in held.items() if not n.endswith(COUNTER)}


def layer(ours: str, *theirs: str) -> Names:
    """Yields the weight and the bias of a layer that is several of theirs, one below another."""
    for part in ("weight", "bias"):
        yield f"{ours}.{part}", tuple(f"{name}.{part}" for name in theirs)
