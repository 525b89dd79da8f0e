"""Memory of the process."""

import ctypes
import gc
import os

import numpy as np


def physical_memory() -> float:
    """Bytes of memory of this machine; infinity where it doesn't say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


def keep_pages() -> None:
    """Have the C library keep freed memory instead of handing it back at every update.

    Arrays of a few MB are otherwise mapped and cleared anew each time, which costs several times the
    arithmetic on them.
    """
    block = np.empty(31 * 2**20, np.uint8)
    block[:] = 1


def give_back() -> None:
    """Free networks that nobody uses, and hand memory back that the C library has kept for long.

    A process that makes one network after the other would grow by half a MB with each.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
