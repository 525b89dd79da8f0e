"""Counter-based noise on the weights of a dense projection."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuroanp.engine import draws, noise
from neuroanp.engine.operations._base import Operation
from neuroanp.engine.operations.dense_projection import DenseProjection


class WeightNoise(Operation):
    """Give each pass of a projection its own weights: the mean weights plus signed noise.

    The noise isn't stored: `draws` computes it again.

    Parameters
    ----------
    projection : DenseProjection
        With a block of weights for each pass, or each member of each pass.
    signs : tuple of int
        Sign of the noise in each pass: 0, 1 or -1.
    hold : int
        Steps for which one draw is held; 0 for the whole trial.
    members : int, optional
        Lanes that have noise of their own; all lanes of a pass share it when left out.
    mixed : bool
        The weights in force are W D and the noise is on W: what is added is the noise times D (`mix`).
    given : bool
        `start` takes the noise of every step instead of drawing it.
    """

    drawing = """
    if (@@hold == 0 ? @row[0] == 0 : @row[0] % @@hold == 0) {
        @dtype* noise = @noise;
        if (@@given)
            noise = @course + @row[0] * @@members * @@n_out * @@n_in;
        else
            neuroanp::fill_@@distribution(noise, (uint64_t)@seed[0], (uint64_t)@@stream, (uint64_t)@trial[0],
                                          @@hold == 0 ? 0 : (uint64_t)(@row[0] / @@hold),
                                          {0, @@members * @@n_out}, @@members * @@n_out, @@n_in,
                                          (@dtype)@sigma[0]);
        if (@@mixed) {
            neuroanp::multiply(noise, @mix, @product, @@members * @@n_out, @@n_in);
            noise = @product;
        }
        static const int signs[] = {@@signs};
        @dtype* weights = @weights;
        for (int pass = 0; pass < @@passes; pass++)
            for (int member = 0; member < @@members; member++)
                for (int k = 0; k < @@n_out * @@n_in; k++)
                    *weights++ = @mean[k] + signs[pass] * noise[member * @@n_out * @@n_in + k];
        @packed[0] = 0;
    }
    """
    native = "@row[0]++;"

    def __init__(
        self,
        projection: DenseProjection,
        *,
        signs: tuple[int, ...],
        distribution: str,
        hold: int,
        stream: int,
        members: int | None = None,
        mixed: bool = False,
        given: bool = False,
        when: str,
        order: int,
        name: str,
    ) -> None:
        super().__init__(projection, when, order, name)
        self._refer("weights", projection, "weights")
        self._refer("packed", projection, "packed")
        dtype = projection.variables["weights"].dtype
        self.signs, self.hold, self.distribution, self.stream = signs, hold, distribution, stream
        self.mixed, self.given = mixed, given
        self.members = members or 1
        self.shape: tuple[int, ...] = (projection.n_out, projection.n_in)
        if members is not None:
            self.shape = (members, *self.shape)
        for variable in ("seed", "trial", "row"):
            self.variables.add_array(variable, size=1, dtype=np.int64)
        self.variables.add_array("sigma", size=1, dtype=np.float64, values=[0.0])
        size = self.members * projection.n_out * projection.n_in
        self._buffer("noise", dtype, size)
        self._buffer("mean", dtype, projection.n_out * projection.n_in)
        self._buffer("product", dtype, size if mixed else 0)
        self._buffer("mix", dtype, projection.n_in**2 if mixed else 0)
        self._buffer("course", dtype)
        drawing = self.drawing.replace("@dtype", "double" if dtype == np.float64 else "float")
        self.by_rows = hold == 0
        if self.by_rows:
            self.native_before = drawing
        else:
            self.native = drawing + self.native
        self._ready(
            n_out=projection.n_out,
            n_in=projection.n_in,
            members=self.members,
            passes=len(signs),
            signs=", ".join(map(str, signs)),
            hold=hold,
            distribution=distribution,
            stream=stream,
            mixed=str(mixed).lower(),
            given=str(given).lower(),
        )

    @property
    def mix(self) -> Any:
        """(n_in, n_in) view of the matrix that the noise is multiplied with."""
        return self.array("mix").reshape(self.shape[-1], self.shape[-1])

    @property
    def mean(self) -> Any:
        """(n_out, n_in) view of the mean weights."""
        return self.array("mean").reshape(self.shape[-2:])

    def prepare(self, steps: int, seed: int, trial: int, sigma: float) -> None:
        """Make ready for a trial of drawn noise."""
        for name, value in (("seed", seed), ("trial", trial), ("row", 0), ("sigma", sigma)):
            self.array(name)[0] = value

    def play(self, course: np.ndarray) -> None:
        """Make ready for a trial of given noise (T, n_out, n_in), or (T, members, n_out, n_in)."""
        self.allocate("course", course.shape)[:] = course
        self.array("row")[0] = 0

    def draw(self, step: int) -> np.ndarray:
        """The noise (n_out, n_in), or (members, n_out, n_in), in force at a step of the trial."""
        if self.given:
            return np.array(self.array("course").reshape(-1, *self.shape)[step])
        return draws.draw(*self._place(step), float(self.array("sigma")[0])).reshape(self.shape)

    def _place(self, step: int) -> tuple[str, int, int, int, int, int, int, Any]:
        """Arguments of `noise.draw` for a step."""
        block = 0 if self.hold == 0 else step // self.hold
        seed, trial = (int(self.array(name)[0]) for name in ("seed", "trial"))
        rows, n_in = self.members * self.shape[-2], self.shape[-1]
        return self.distribution, seed, self.stream, trial, block, rows, n_in, self.array("noise").dtype

    def step(self) -> None:
        """One step in NumPy."""
        row = int(self.array("row")[0])
        if row == 0 if self.hold == 0 else row % self.hold == 0:
            draw = self._in_numpy(row)
            draw = draw @ self.mix if self.mixed else draw
            passes = self.array("weights").reshape(-1, *self.shape)
            for sign, weights in zip(self.signs, passes, strict=True):
                weights[:] = self.mean + sign * draw
        self.array("row")[0] += 1

    def _in_numpy(self, step: int) -> np.ndarray:
        """`draw`, as the noise is defined."""
        if self.given:
            return self.draw(step)
        drawn = noise.draw(*self._place(step)).reshape(self.shape)
        return np.multiply(drawn, self.array("sigma")[0], dtype=drawn.dtype)


class WanderingWeightNoise(WeightNoise):
    r"""Noise on weights, held for a trial, of which a part is left in the next one.

    .. math:: x_k = (1 - \lambda) \, x_{k-1} + \sqrt{1 - (1 - \lambda)^2} \; \xi_k

    with :math:`\xi_k` the draw of trial k, so that the variance is that of the draws; :math:`x_0 = \xi_0`. It
    is a function of seed and trial still: a trial that doesn't follow the last one is worked out again from
    the draws that are left in it.

    Parameters
    ----------
    relaxation : float
        :math:`\lambda`, above 0 and at most 1.

    The others are those of `WeightNoise`.
    """

    def __init__(
        self,
        projection: DenseProjection,
        *,
        signs: tuple[int, ...],
        distribution: str,
        stream: int,
        relaxation: float,
        mixed: bool,
        when: str,
        order: int,
        name: str,
    ) -> None:
        self.retention = 1.0 - relaxation
        self.last: tuple[int, int, Any] = (0, -2, None)
        super().__init__(
            projection, signs=signs, distribution=distribution, hold=0, stream=stream, mixed=mixed,
            given=True, when=when, order=order, name=name,
        )  # fmt: skip

    def prepare(self, steps: int, seed: int, trial: int, sigma: float) -> None:
        """Make ready for a trial."""
        self.play(sigma * self._process(seed, trial)[None] if sigma else np.zeros((1, *self.shape)))

    def _process(self, seed: int, trial: int) -> np.ndarray:
        last_seed, last_trial, x = self.last
        follows = (last_seed, last_trial) == (seed, trial - 1)
        if (last_seed, last_trial) == (seed, trial):
            return np.asarray(x)
        first = trial if follows else max(0, trial - lasting(self.retention))
        x = x if follows else self._draw(seed, first)
        for index in range(first if follows else first + 1, trial + 1):
            x = self.retention * x + math.sqrt(1 - self.retention**2) * self._draw(seed, index)
        self.last = (seed, trial, x)
        return np.asarray(x)

    def _draw(self, seed: int, trial: int) -> np.ndarray:
        return noise.draw(self.distribution, seed, self.stream, trial, 0, self.shape[0], self.shape[1])


def lasting(retention: float) -> int:
    """Trials after which nothing but rounding is left of noise that keeps a part from trial to trial."""
    return math.ceil(math.log(1e-17) / math.log(retention)) if retention > 0 else 0
