"""Backpropagation through time."""

from __future__ import annotations

import functools
from typing import Any, Literal

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.gradients._jax import jax, precision
from neuroanp.gradients.unrolled import unroll
from neuroanp.network.dynamics import Dynamics
from neuroanp.network.layout import PROJECTIONS, TO_READOUT, mixed
from neuroanp.network.record import Record
from neuroanp.rendering import Step
from neuroanp.rules import Rule, direct
from neuroanp.synapse import NotLocal
from neuroanp.types import Array, Arrays

WERBOS = """@article{werbos1990backpropagation,
  author = {Werbos, Paul J.},
  title = {Backpropagation through time: what it does and how to do it},
  journal = {Proceedings of the IEEE},
  volume = {78},
  number = {10},
  pages = {1550--1560},
  year = {1990},
  doi = {10.1109/5.58337}
}"""

NEFTCI = """@article{neftci2019surrogate,
  author = {Neftci, Emre O. and Mostafa, Hesham and Zenke, Friedemann},
  title = {Surrogate gradient learning in spiking neural networks: bringing the power of gradient-based
    optimization to spiking neural networks},
  journal = {IEEE Signal Processing Magazine},
  volume = {36},
  number = {6},
  pages = {51--63},
  year = {2019},
  doi = {10.1109/MSP.2019.2931595}
}"""


class BPTT(Rule):
    r"""Gradient of the loss, for comparison: errors go back through all steps and all weights.

    .. math:: \Delta W = -\eta \, \nabla_W \frac{1}{L} \sum_{t,l} m_{t,l} \,
              \frac{1}{n_{out}} \lVert y_{t,l} - y^*_{t,l} \rVert^2

    Network and trial are those of any other rule; the trial is computed again in JAX, to be differentiated.
    The loss is the squared error, whatever the task rewards. Tanh units have an exact gradient. Spikes have a
    surrogate, :math:`\gamma \, h(k (v - \theta - b))` with :math:`h(0) = 1`, the potential in units
    of the way from reset to threshold, and no gradient goes through the reset, or grows from step to step
    through a potential that grows by itself; what comes out is not the gradient of any loss, but what is
    commonly trained with.

    With `truncation` k no error goes back into step 0, k, 2k ... from the steps after: k = 1 is what the code
    published with arXiv 2405.08967 calls backpropagation, as it detaches the state at every step.

    Parameters
    ----------
    truncation : int
        Steps in a stretch that errors go back in, 0 for the whole trial.
    surrogate : str
        ``"triangle"``, ``"fast-sigmoid"``, ``"arctan"`` or ``"sigmoid"``.
    damping : float
        :math:`\gamma`, above 0.
    steepness : float
        k, above 0.
    readout : str
        ``"delta"``, the gradient, or ``"fixed"``.

    Raises
    ------
    MissingExtra
        Before the first trial, where JAX is not installed.
    InvalidValue
        For values out of range; at the update for sparse wiring, and in windows of a longer series for models
        with states that the trace doesn't show.
    UnsupportedConstruct
        At the update, for models with equations that only Brian2 can run, e.g. stochastic ones.

    References
    ----------
    Werbos, Proc. IEEE 78, 1550 (1990); surrogates: Neftci, Mostafa, Zenke, IEEE SPM 36, 51 (2019).
    """

    name = "bptt"
    sources = (WERBOS, NEFTCI)

    readout: Literal["delta", "fixed"] = option("delta", "how the readout learns")
    truncation: int = option(0, "steps that errors go back in, 0 for the whole trial", least=0)
    surrogate: Literal["triangle", "fast-sigmoid", "arctan", "sigmoid"] = option(
        "triangle", "derivative of a spike"
    )
    damping: float = option(0.3, "height of that derivative at the threshold", above=0)
    steepness: float = option(1.0, "one over its width", above=0)

    def require_extras(self) -> None:
        jax()

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> NotLocal:
        return NotLocal(
            quantity="errors of all later steps, through the transposed weights of all other synapses",
            variant="NodePerturbation or EProp",
        )

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        gradient = self.gradient(record)
        if self.readout == "fixed":
            gradient = {name: value for name, value in gradient.items() if name not in TO_READOUT}
        return gradient

    def gradient(self, record: Record) -> Arrays:
        """Gradient of the mean over lanes of the counted squared errors, by weight name, of float64."""
        with precision(record.trace.dtype):
            dynamics, *course = self._course(record)
            mask = record.mask.astype(record.trace.dtype)
            _, values = _differentiated(dynamics.step, *self._form)(*course, record.targets, mask)
            gradient = {name: np.array(value, np.float64) for name, value in values.items()}
        D = record.decorrelation
        return {
            name: mixed(value, D[PROJECTIONS[name].decorrelated_by].T) if D else value
            for name, value in gradient.items()
        }

    def forward(self, record: Record) -> tuple[Array, Array]:
        """Traces (T, L, N) and readouts (T, L, n_out) that JAX has for the trial of a record."""
        with precision(record.trace.dtype):
            dynamics, *course = self._course(record)
            trace, outputs = _forward(dynamics.step, *self._form)(*course)
            return np.array(trace), np.array(outputs)

    @property
    def _form(self) -> tuple[int, str, float, float]:
        return self.truncation, self.surrogate, self.damping, self.steepness

    def _course(self, record: Record) -> tuple[Dynamics, Any, Any, Any, Array]:
        """Model, effective weights, constants, first states and inputs of a trial, with those before."""
        if record.wiring is not None:
            raise InvalidValue("BPTT.update", "a model with all of its synapses", "a sparse one")
        dynamics = record.dynamics and record.dynamics()
        if dynamics is None:
            raise InvalidValue("BPTT.update", "a model that defines dynamics", "another one")
        dtype, lanes = record.trace.dtype, record.trace.shape[1]
        weights = {
            name: (
                mixed(w, record.decorrelation[PROJECTIONS[name].decorrelated_by])
                if record.decorrelation
                else w
            ).astype(dtype)
            for name, w in record.weights.items()
            if name in PROJECTIONS
        }
        n_out, n = weights["W_out"].shape
        start, initial = dict(dynamics.start), record.trace[0]
        if dynamics.goes_on:
            start[dynamics.trace] = initial
        elif (initial != start.get(dynamics.trace, 0)).any():
            expected = "units with other states than the trace to start from rest in every trial"
            raise InvalidValue("BPTT.update", expected, "a window that goes on from the one before")
        states = {}
        for name, value in start.items():
            shape = lanes, n_out if name.startswith("readout.") else n
            states[name] = np.asarray(np.zeros(shape, dtype) + value, dtype)
        constants = {name: np.asarray(value, dtype) for name, value in dynamics.constants.items()}
        return dynamics, weights, constants, states, direct(record).astype(dtype, copy=False)


@functools.lru_cache(maxsize=32)
def _forward(step: Step, *form: Any) -> Any:
    return jax().jit(unroll(step, *form))


@functools.lru_cache(maxsize=32)
def _differentiated(step: Step, *form: Any) -> Any:
    run = unroll(step, *form)

    def loss(weights: Any, k: Any, states: Any, inputs: Any, targets: Any, mask: Any) -> Any:
        _, outputs = run(weights, k, states, inputs)
        return (((outputs - targets) ** 2).mean(axis=2) * mask).sum() / mask.shape[1]

    return jax().jit(jax().value_and_grad(loss))
