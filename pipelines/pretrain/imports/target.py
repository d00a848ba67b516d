"""Where an export goes, checked before anything imports torch."""

from pathlib import Path

from jepa.core.errors import InputError

SUFFIXES = (".pt", ".safetensors")


def taken(file: str) -> InputError:
    """Returns the error that says that a file is there already."""
    return InputError(f"file {file!r} exists; choose another one, nothing is overwritten")


def check_target(file: str) -> None:
    """Passes where a file of that name can be written and overwrites nothing.

    Raises:
        InputError: its suffix is unknown, it exists, or its folder does not.
    """
    path = Path(file)
    if path.suffix not in SUFFIXES:
        raise InputError(f"file {file!r} says no format; give it the suffix {' or '.join(SUFFIXES)}")
    if path.exists():
        raise taken(file)
    if not path.absolute().parent.is_dir():
        raise InputError(f"file {file!r} cannot be written: its folder does not exist; make it")
