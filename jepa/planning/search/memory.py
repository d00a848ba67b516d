"""How many bytes of tensors a computation holds at its peak, counted as they come and go; on any device."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def peak_bytes(work: Callable[[], object]) -> int:
    """Returns the most bytes that the tensors made by a computation take at once; what it is given is left out."""
    counted = _LiveBytes()
    with counted:
        work()
    return counted.peak


class _LiveBytes(TorchDispatchMode):
    """Counts the storage of each tensor that an operation returns until nobody holds it any more."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live: int = 0
        self.peak: int = 0
        self._known: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for given in tree_leaves((args, kwargs or {})):
            self._count(given, 0)
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            self._count(tensor, None)
        return made

    def _count(self, held: Any, size: int | None) -> None:
        """Counts a storage once; `size` 0 is for what was there before."""
        if not isinstance(held, Tensor):
            return
        storage = held.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        size = storage.nbytes() if size is None else size
        self.live += size
        self.peak = max(self.peak, self.live)

        def gone(_: object) -> None:
            self._known.pop(key, None)
            self.live -= size

        self._known[key] = weakref.ref(storage, gone)
