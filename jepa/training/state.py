"""Everything that a run needs to continue as if it had never stopped, as safetensors and JSON."""

import json
from dataclasses import dataclass
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from jepa.core.errors import InputError


@dataclass(frozen=True)
class TrainingState:
    """Tensors by name (weights, optimiser) and a JSON document (step, configurations).

    Every random draw of a step is a function of the seed and the step, so that the step is the generators' whole state.
    """

    tensors: dict[str, Tensor]
    meta: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Returns one safetensors file that carries the JSON in its metadata."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        return save(tensors, metadata={"training_state": json.dumps(self.meta, sort_keys=True)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "TrainingState":
        """Returns the state that `to_bytes` wrote.

        Raises:
            InputError: the bytes are not a safetensors file with that metadata.
        """
        try:
            tensors = load(data)
            # A safetensors file opens with the length of its JSON header, 8 bytes, little-endian.
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            meta = json.loads(header["__metadata__"]["training_state"])
        except (SafetensorError, KeyError, ValueError) as error:
            raise InputError(f"not a checkpoint of this project ({type(error).__name__}: {error})") from error
        return cls(tensors, meta)
