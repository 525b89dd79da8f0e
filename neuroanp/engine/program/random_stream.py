"""Brian2's random numbers (`rand`, `randn`, Poisson) of compiled networks."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from neuroanp.engine.program.library import Library


class RandomStream:
    """One stream of random numbers for all compiled networks of a device, as NumPy's is for Brian2's runtime.

    It lies in memory of its own, on which every library works, so that it outlives them. A seed
    takes effect when a library next runs, as only generated code knows the generator.
    """

    def __init__(self) -> None:
        self._memory = np.zeros(0, np.uint64)
        self.seed(None)

    def seed(self, seed: int | None) -> None:
        """Start anew, from the operating system's randomness where `seed` is ``None``."""
        self._seed = int.from_bytes(os.urandom(4), "little") if seed is None else int(seed)
        self._fresh = True

    def join(self, library: Library) -> None:
        """Let a library draw from this stream."""
        size = library.dll.neuroanp_random_size()
        if not len(self._memory):
            self._memory = np.zeros(-(-size // 8), np.uint64)
        library.bind_random(self._memory)

    def prepare(self, library: Library) -> None:
        """Seed the generator, if that is still to be done."""
        if self._fresh:
            library.dll.neuroanp_random_seed(self._seed)
            self._fresh = False

    @property
    def state(self) -> Any:
        """A seed, or the generator's memory."""
        return self._seed if self._fresh else self._memory.tobytes()

    @state.setter
    def state(self, state: Any) -> None:
        if isinstance(state, int):
            self.seed(state)
            return
        if len(self._memory) and len(state) != self._memory.nbytes:
            raise ValueError(f"random state: expected {self._memory.nbytes} bytes, got {len(state)}")
        if len(self._memory):
            self._memory[:] = np.frombuffer(state, np.uint64)
        else:
            self._memory = np.frombuffer(state, np.uint64).copy()
        self._fresh = False
