"""What a result came from, exactly: a version of a dataset, the weights of a model.

A reference is resolved once, in the driver, and travels as it is: a worker never opens "the newest". Its digest names
the content, so that a name that was deleted and used again is not taken for what it was.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated

from pydantic import AfterValidator

from jepa.core.config import Config
from jepa.core.errors import InputError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SHORT = 8
"""Characters of a digest that people are shown."""


class DatasetRef(Config):
    """A version of a dataset, by content."""

    name: str
    version: int
    """1, and one more for each extension"""
    digest: str
    """SHA-256 of what readers get: plan, sizes, statistics and the digest of every shard; not of the code's version"""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


class ModelRef(Config):
    """A trained model, by content: a name whose training went on refers to other weights than before."""

    name: str
    digest: str
    """SHA-256 of the weights' digest and the model's configuration"""

    def __str__(self) -> str:
        return f"{self.name}@{self.digest[:SHORT]}"


def check_name(what: str, name: str) -> str:
    """Returns the name if a folder may be called so.

    Args:
        what: `dataset`, `model` or `run`, for the message.
        name: to be checked.

    Raises:
        InputError: it is not usable.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"{what} name {name!r} is not usable; take up to 100 letters, digits, '.', '_' and '-'")
    return name


def split_dataset(text: str) -> tuple[str, int | None]:
    """Returns name and version of `d0@2`; `d0` alone, without a version, means the newest.

    Raises:
        InputError: the name is not usable, or the version is no whole number from 1 on.
    """
    name, at, version = text.partition("@")
    check_name("dataset", name)
    if not at:
        return name, None
    if not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        raise InputError(f"dataset {text!r} has no version number after '@'; write e.g. {name}@2")
    return name, int(version)


def split_model(text: str) -> tuple[str, str | None]:
    """Returns name and the digest's beginning of `m0@1a2b3c4d`; `m0` alone means the newest weights.

    Raises:
        InputError: the name is not usable, or what follows '@' is no digest of 4 digits or more.
    """
    name, at, digest = text.partition("@")
    check_name("model", name)
    if not at:
        return name, None
    if not re.fullmatch(r"[0-9a-f]{4,64}", digest):
        raise InputError(f"model {text!r} has no digest after '@'; write the first digits of one, e.g. {name}@1a2b3c4d")
    return name, digest


def _checked(split: Callable[[str], object], text: str) -> str:
    split(text)
    return text


DatasetText = Annotated[str, AfterValidator(partial(_checked, split_dataset))]
"""A configuration's dataset, as people write it: see `split_dataset`."""
ModelText = Annotated[str, AfterValidator(partial(_checked, split_model))]
"""A configuration's model, as people write it: see `split_model`."""
ModelName = Annotated[str, AfterValidator(partial(check_name, "model"))]
"""Name of a model that is made."""
