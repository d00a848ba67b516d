"""How much memory the machine has."""

import os


def machine_bytes() -> int | None:
    """Returns the size of the machine's memory, None where the system does not say it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
