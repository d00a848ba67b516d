"""HDF5 files that hold all that they show: this format can also show what lies in other files of the reader."""

from typing import Any

from jepa.core.errors import InputError

MOST_OBJECTS = 10_000
"""Objects of a file that are looked at; published ones have some ten."""


def require_closed(file: Any, path: str) -> None:
    """Passes where nothing in an HDF5 file leads out of it.

    Links to other files, columns whose bytes lie in other files, and virtual columns are refused wherever they are; a
    link within the file leads to what was looked at as well.

    Args:
        file: open `h5py.File`.
        path: of the file, for the message.

    Raises:
        InputError: something does, or the file has too many objects to be sure; the message names it.
    """
    import h5py

    seen: set[int] = set()
    waiting = [file]
    while waiting:
        group = waiting.pop()
        for name in group:
            place = f"{group.name.rstrip('/')}/{name}"
            link = _link(group, name)
            if isinstance(link, h5py.SoftLink):
                continue
            if not isinstance(link, h5py.HardLink):
                raise InputError(f"file {path!r}: {place} is a link to another file; copy it into this one")
            held = group[name]
            address = h5py.h5o.get_info(held.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > MOST_OBJECTS:
                raise InputError(f"file {path!r} holds more than {MOST_OBJECTS} objects; import a file with less")
            if isinstance(held, h5py.Group):
                waiting.append(held)
            elif isinstance(held, h5py.Dataset) and (held.external or held.is_virtual):
                raise InputError(f"file {path!r}: the values of {place} lie in other files; copy them into this one")


def _link(group: Any, name: str) -> Any:
    try:
        return group.get(name, getlink=True)
    except TypeError:  # a kind of link that somebody has defined
        return None
