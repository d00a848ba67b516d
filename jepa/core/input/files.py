"""Files that a user names: read only if they are files, for a pipe or a device may never end."""

import errno
import os
import stat
from pathlib import Path

from jepa.core.errors import InputError


def require_file(what: str, path: str | Path) -> None:
    """Passes where there is an ordinary file, or a link to one; nothing is opened.

    Args:
        what: names the file in the message, e.g. `config file 'a.yaml'`.
        path: of the file.

    Raises:
        InputError: there is none, the link leads nowhere, or it is a folder, a pipe, a socket or a device.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and os.path.islink(path):
            raise InputError(f"{what} is a link to a file that does not exist; name another file") from error
        if isinstance(error, FileNotFoundError):
            raise InputError(f"{what} does not exist") from error
        code = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
        raise InputError(f"{what} cannot be read: {os.strerror(code).lower()}") from error
    if not stat.S_ISREG(mode):
        raise InputError(f"{what} cannot be read: it is {_kind(mode)}; name a file")


def read_file(what: str, path: str | Path) -> bytes:
    """Returns the bytes of a file.

    Args:
        what: names the file in the message, e.g. `config file 'a.yaml'`.
        path: of the file.

    Raises:
        InputError: it is no file, see `require_file`, or cannot be read.
    """
    require_file(what, path)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{what} cannot be read: {(error.strerror or str(error)).lower()}") from error


def _kind(mode: int) -> str:
    kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    return next((kind for is_kind, kind in kinds.items() if is_kind(mode)), "a device")
