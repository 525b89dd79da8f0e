"""The matrix products of an update alone, as BLAS does them."""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

from neuroanp.bench.timing import interleaved
from neuroanp.types import Array

PASSES = 2


class Floor:
    """Arrays of the sizes of an update, in the order of memory that BLAS wants.

    The recurrent product is made the quicker way here, as one of matrices or lane by lane: with few lanes a
    product of matrices may take several times as long once the weights no longer fit the cache.

    Parameters
    ----------
    hidden, n_in, n_out, lanes, steps : int
    dtype : {"float32", "float64"}
    """

    def __init__(self, hidden: int, n_in: int, n_out: int, lanes: int, steps: int, dtype: str) -> None:
        double = dtype == "float64"
        self.gemm, self.gemv = (blas.dgemm, blas.dgemv) if double else (blas.sgemm, blas.sgemv)
        self.steps = steps
        rng = np.random.default_rng(0)

        def draw(rows: int, columns: int) -> Array:
            return np.asfortranarray(rng.standard_normal((rows, columns)), dtype)

        samples = lanes * steps
        self.w_in, self.w_rec, self.w_out = draw(hidden, n_in), draw(hidden, hidden), draw(n_out, hidden)
        self.inputs, self.trace = draw(n_in, samples), draw(hidden, PASSES * lanes)
        self.traces = draw(hidden, PASSES * samples)
        self.pre, self.post, self.error = (
            draw(hidden, samples),
            draw(hidden, samples),
            draw(n_out, samples),
        )
        self.activity = np.empty_like(self.trace, order="F")
        ways = {"gemm": self._by_matrix, "gemv": self._by_vector}
        times = interleaved(ways, seconds=0.1, least=3)
        self._recurrent = ways[min(ways, key=lambda name: times[name].min())]

    def forward(self) -> tuple[Array, Array, Array]:
        """Input and readout products in one piece, and the recurrent one of all passes step by step.

        Returns
        -------
        tuple of array
            Input currents (N, T L), activity of the last step (N, 2 L), readouts (n_out, 2 T L).
        """
        drive = self.gemm(1.0, self.w_in, self.inputs)
        for _ in range(self.steps):
            self._recurrent()
        return drive, self.activity, self.gemm(1.0, self.w_out, self.traces)

    def update(self) -> tuple[Array, Array, Array]:
        """The update's outer products, summed over steps and lanes: of W_in, W_rec and W_out."""
        return (
            self.gemm(1.0, self.post, self.inputs, trans_b=1),
            self.gemm(1.0, self.post, self.pre, trans_b=1),
            self.gemm(1.0, self.error, self.pre, trans_b=1),
        )

    def __call__(self) -> None:
        """All products of an update."""
        self.forward()
        self.update()

    def _by_matrix(self) -> None:
        self.gemm(1.0, self.w_rec, self.trace, c=self.activity, overwrite_c=1)

    def _by_vector(self) -> None:
        for trace, activity in zip(self.trace.T, self.activity.T, strict=True):
            self.gemv(1.0, self.w_rec, trace, y=activity, overwrite_y=1)
