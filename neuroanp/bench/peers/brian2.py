"""The forward passes of tanh units in Brian2 without this library, run anew for every trial."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import brian2 as b2
import numpy as np
from brian2 import ms
from brian2.devices.device import reset_device

from neuroanp.types import Array

UPDATE = "x = tanh(recurrent + current(t, i % units) + sigma * randn())"


class PlainNetwork:
    """A clean and a noisy pass of one trial, on the Brian2 device in force.

    Parameters
    ----------
    w_rec : (N, N) array
    drive : (T, N) array
        Input current of the units at each step.
    sigma : float
        Standard deviation of the noise of the second pass.
    synapses : bool
        Recurrent product by `Synapses`, which run on every device, instead of a NumPy product in a network
        operation, which is quicker.
    """

    def __init__(self, w_rec: Array, drive: Array, sigma: float, synapses: bool) -> None:
        steps, units = drive.shape
        b2.defaultclock.dt = 1 * ms
        self.duration = steps * ms
        self.names = {"current": b2.TimedArray(drive, dt=1 * ms), "units": units}
        self.cells = b2.NeuronGroup(2 * units, "x : 1\nrecurrent : 1\nsigma : 1", name="plain_cells")
        self.cells.sigma = np.repeat([0.0, sigma], units)
        self.cells.run_regularly(UPDATE, dt=1 * ms)
        self.synapses: Any = self._synapses(w_rec) if synapses else None
        product = self.synapses if synapses else self._operation(w_rec)
        self.network = b2.Network(self.cells, product)

    def run(self) -> None:
        """One trial from rest."""
        self.cells.x = 0
        self.network.run(self.duration, namespace=self.names)

    def _synapses(self, w_rec: Array) -> Any:
        units = len(w_rec)
        recurrent = b2.Synapses(self.cells, self.cells, "w : 1\nrecurrent_post = w * x_pre : 1 (summed)")
        post, pre = (index.ravel() for index in np.indices(w_rec.shape))
        recurrent.connect(i=np.concatenate([pre, pre + units]), j=np.concatenate([post, post + units]))
        recurrent.w = np.tile(w_rec.ravel(), 2)
        return recurrent

    def _operation(self, w_rec: Array) -> Any:
        x, recurrent = self.cells.variables["x"].get_value(), self.cells.variables["recurrent"].get_value()
        x, recurrent = (values.reshape(2, -1) for values in (x, recurrent))

        def product() -> None:
            np.matmul(x, w_rec.T, out=recurrent)

        return b2.NetworkOperation(product, dt=1 * ms, when="start")


@contextlib.contextmanager
def runtime(target: str) -> Iterator[None]:
    """Brian2's own runtime with this code generation target."""
    target_before = b2.prefs.codegen.target
    b2.prefs.codegen.target = target
    b2.set_device("runtime")
    try:
        yield
    finally:
        reset_device()
        b2.prefs.codegen.target = target_before


def standalone(w_rec: Array, drive: Array, sigma: float, folder: str) -> Callable[[], None]:
    """Build a C++ program once; the function that is returned runs it with new weights and waits.

    Parameters
    ----------
    w_rec, drive, sigma
        See `PlainNetwork`.
    folder : str
        Place of the program and its results.
    """
    b2.set_device("cpp_standalone", build_on_run=False)
    try:
        device, plain = b2.get_device(), PlainNetwork(w_rec, drive, sigma, synapses=True)
        plain.network.run(plain.duration, namespace=plain.names)
        device.build(directory=folder, compile=True, run=False)
        weights = plain.synapses.w
    finally:
        reset_device()
    values = np.tile(w_rec.ravel(), 2)
    return lambda: device.run(run_args={weights: values})
