"""Counter-based noise for the nodes of a group."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine import noise
from neuroanp.engine.operations._base import Operation

AT_ONCE = 2048
"""Numbers that are drawn at once, for several steps where one needs fewer: more at once cost less each."""


class CounterNoise(Operation):
    """Fill a variable with sigma times noise, a pure function of (seed, stream, trial, lane, unit, step).

    Each pass gets the noise times its sign, so the minus pass is the exact mirror of the plus pass. The
    noise of the trial is kept in `buffer`, (T, lanes, n).

    Parameters
    ----------
    target : NeuronGroup
        Group of (passes, lanes, n) cells.
    write : str
        Variable that takes the noise.
    signs : tuple of int
        Sign of the noise in each pass: 0, 1 or -1.
    lanes : int
    distribution : {"gaussian", "sign", "rare"}
    hold : int
        Steps for which one draw is held.
    stream : int
        Keeps apart noises of one network.
    chance : float
        Rare noise: probability of noise other than 0.
    """

    drawing = """
    const int64_t row = @row[0], hold = @hold[0], left = (@steps[0] - row + hold - 1) / hold;
    @dtype* const noise = @buffer + row * @@size;
    for (const auto& lanes : neuroanp::stretches(@@lanes)) {
        @dtype* const first = noise + lanes.first * @@units;
        const size_t bytes = (lanes.end - lanes.first) * @@units * sizeof(@dtype);
        if (@sigma[0] == 0) {
            std::memset(first, 0, bytes);
        } else if (row % (hold * @@ahead) == 0) {
            neuroanp::fill_@@distribution(noise, (uint64_t)@seed[0], (uint64_t)@@stream, (uint64_t)@trial[0],
                                          (uint64_t)(row / hold), lanes, @@lanes, @@units,
                                          (@dtype)@sigma[0]@@chance, left < @@ahead ? left : @@ahead, hold);
        }
        if (row % hold != 0) std::memcpy(first, first - @@size, bytes);
    }
    """
    native = f"""{drawing}
    static const @dtype signs[] = {{@@signs}};
    for (const auto& lanes : neuroanp::stretches(@@lanes))
        for (int pass = 0; pass < @@passes && row % hold == 0; pass++)
            for (int64_t k = lanes.first * @@units; k < lanes.end * @@units; k++)
                @target[pass * @@size + k] = signs[pass] * noise[k];
    @row[0]++;
    """
    by_rows = True

    def __init__(
        self,
        target: Any,
        write: str,
        *,
        signs: tuple[int, ...],
        lanes: int,
        distribution: str,
        hold: int,
        stream: int,
        chance: float = 1.0,
        when: str,
        order: int,
        name: str,
    ) -> None:
        super().__init__(target, when, order, name)
        self._refer("target", target, write)
        dtype = target.variables[write].dtype
        self.signs, self.lanes, self.units = signs, lanes, len(target) // (len(signs) * lanes)
        self.distribution, self.stream = distribution, stream
        for variable, value in (("seed", 0), ("trial", 0), ("row", 0), ("steps", 0), ("hold", hold)):
            self.variables.add_array(variable, size=1, dtype=np.int64, values=[value])
        self.variables.add_array("sigma", size=1, dtype=np.float64, values=[0.0])
        self.variables.add_array("chance", size=1, dtype=np.float64, values=[chance])
        self._buffer("buffer", dtype)
        argument = ", @chance[0]" if distribution == "rare" else ""
        self.native = self.native.replace("@@chance", argument)
        self.native = self.native.replace("@dtype", "double" if dtype == np.float64 else "float")
        self._ready(
            size=lanes * self.units,
            lanes=lanes,
            units=self.units,
            passes=len(signs),
            signs=", ".join(map(str, signs)),
            distribution=distribution,
            stream=stream,
            ahead=max(1, AT_ONCE // (lanes * self.units)),
        )

    def prepare(self, steps: int, seed: int, trial: int, sigma: float) -> np.ndarray:
        """Make ready for a trial; returns the (T, lanes, n) buffer that the noise will be in."""
        for name, value in (("seed", seed), ("trial", trial), ("row", 0), ("steps", steps), ("sigma", sigma)):
            self.array(name)[0] = value
        return self.allocate("buffer", (steps, self.lanes, self.units))

    def step(self) -> None:
        """One step in NumPy."""
        row, hold = int(self.array("row")[0]), int(self.array("hold")[0])
        buffer = self.array("buffer").reshape(-1, self.lanes, self.units)
        if self.array("sigma")[0] == 0:
            buffer[row] = 0
        elif row % hold == 0:
            seed, trial = int(self.array("seed")[0]), int(self.array("trial")[0])
            draw = noise.draw(
                self.distribution, seed, self.stream, trial, row // hold, self.lanes, self.units,
                buffer.dtype, float(self.array("chance")[0]),
            )  # fmt: skip
            buffer[row] = draw * buffer.dtype.type(self.array("sigma")[0])
        else:
            buffer[row] = buffer[row - 1]
        target = self.array("target").reshape(len(self.signs), *buffer.shape[1:])
        for sign, values in zip(self.signs, target, strict=True):
            np.multiply(buffer[row], sign, out=values)
        self.array("row")[0] += 1
