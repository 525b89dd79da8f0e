"""Memory of the process."""

import numpy as np


def keep_pages() -> None:
    """Have the C library keep freed memory instead of handing it back at every update.

    Arrays of a few MB are otherwise mapped and cleared anew each time, which costs several times the
    arithmetic on them.
    """
    block = np.empty(31 * 2**20, np.uint8)
    block[:] = 1
