"""Grids: blocks of fixed and varied fields, spelled out as cells."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from jepa.core.config import Config, parse_options
from jepa.core.errors import InputError

Block = Mapping[str, Any]
"""Fields of a cell: a list is varied, anything else is fixed; all combinations of the lists are cells."""
LARGEST = 100_000
"""Cells of one study."""

C = TypeVar("C", bound=Config)


def written_out(block: Block) -> dict[str, Any]:
    """Returns a block with ranges and tuples as the lists that they stand for, as JSON has them."""
    return {name: list(held) if isinstance(held, (tuple, range)) else held for name, held in block.items()}


def cells_of(kind: type[C], blocks: Iterable[Block]) -> list[C]:
    """Returns the cells of all blocks in order, the last field of a block varied fastest, each cell once.

    Raises:
        InputError: a field is not known or a value does not fit, or there are too many cells or none.
    """
    found: dict[str, C] = {}
    for number, block in enumerate(blocks):
        varied = {name: value for name, value in block.items() if isinstance(value, (list, tuple, range))}
        fixed = {name: value for name, value in block.items() if name not in varied}
        if math.prod(map(len, varied.values())) > LARGEST:
            raise InputError(f"block grid.{number} has over {LARGEST} cells; vary fewer fields")
        for values in itertools.product(*varied.values()):
            cell = parse_options(kind, fixed | dict(zip(varied, values, strict=True)), f"grid.{number}")
            found.setdefault(cell.fingerprint(), cell)
            if len(found) > LARGEST:
                raise InputError(f"the grid has over {LARGEST} cells; vary fewer fields")
    if not found:
        raise InputError("the grid has no cell; give at least one block, and no empty list in it")
    return list(found.values())
