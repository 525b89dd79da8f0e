"""Counter-based noise that is added to a variable of a user's group."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations.node_noise import CounterNoise


class AddedNoise(CounterNoise):
    """Add sigma times noise to a variable, one cell a unit, for as many steps as were prepared for.

    The noise is that of `CounterNoise`, of a single lane and pass; a negative sigma mirrors it.

    Parameters
    ----------
    target : NeuronGroup
    write : str
        Variable that takes the noise.
    integrated : bool
        True adds to the present value: a kick. False adds to the value that the variable had in `prepare`:
        a parameter does not gather the noise.

    See `CounterNoise` for the others.
    """

    def __init__(self, target: Any, write: str, *, integrated: bool, **options: Any) -> None:
        start = "@target" if integrated else "@base"
        adding = f"for (int k = 0; k < @@size; k++) @target[k] = {start}[k] + noise[k];\n@row[0]++;"
        self.native = f"if (@row[0] < @steps[0]) {{{self.drawing}{adding}\n}}"
        self.integrated = integrated
        super().__init__(target, write, signs=(1,), lanes=1, **options)

    def _ready(self, **numbers: Any) -> None:
        self._buffer("base", self.variables["buffer"].dtype, size=numbers["size"])
        super()._ready(**numbers)

    def prepare(self, steps: int, seed: int, trial: int, sigma: float) -> np.ndarray:
        """Make ready for a trial, see `CounterNoise`; an unintegrated variable has its resting value now."""
        self.array("base")[:] = self.array("target")
        return super().prepare(steps, seed, trial, sigma)

    def rest(self) -> None:
        """Take the last noise out of a variable that isn't integrated, and add no more until `prepare`."""
        self.array("steps")[0] = 0
        if not self.integrated:
            self.array("target")[:] = self.array("base")

    def step(self) -> None:
        """One step in NumPy."""
        row, target = int(self.array("row")[0]), self.array("target")
        if row < self.array("steps")[0]:
            start = target.copy() if self.integrated else self.array("base")
            super().step()
            target += start
