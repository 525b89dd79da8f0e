"""`Model`: the neurons of a network as Brian2 equations."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuroanp.config.naming import ClassName
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.network.dynamics import Cells, Dynamics, Rates, rendered
from neuroanp.network.wiring import Wiring

Weights = dict[str, NDArray[np.float64]]

ROLES = ("drive", "synaptic", "inhibitory", "activity", "trace", "potential", "adaptation")
"""Attributes of a model that name a hidden variable."""


class Model(Part):
    """Base of all models: options as fields, with the equations beside them.

    A model is one file. The hidden group has to declare ``noise`` (the perturbation) and the variables that
    `drive`, `activity` and `trace` name.

    Attributes
    ----------
    name : str
        Name in the shell.
    equations, update : str
        Brian2 equations of the hidden group, and statements that run once a step before them.
    threshold, reset, refractory : str or None
        For spiking cells, whose recurrent and readout projections follow their spikes.
    readout_equations, readout_update : str
        Equations and statements of the readout; it declares ``noise``, ``target`` and ``y``, its output.
    drive : str
        Hidden variable that the input and, where cells don't spike, the recurrent projection write.
    synaptic : str
        Hidden variable that spikes add to.
    inhibitory : str or None
        Hidden variable that spikes add the size of negative weights to, where it isn't `synaptic`.
    signed : tuple of str
        Weights that keep their signs while they learn.
    activity : str
        Hidden variable that the noise is added to.
    trace : str
        Hidden variable that synapses see.
    potential : str or None
        Hidden variable that a spiking cell compares with its threshold.
    adaptation : str or None
        Hidden variable by which the threshold has risen.
    loss : str
        Loss of one output at one step.
    """

    registered_as: ClassVar[str] = "model"
    name: ClassVar[str] = ClassName()  # type: ignore[assignment]
    equations: ClassVar[str]
    update: ClassVar[str] = ""
    threshold: ClassVar[str | None] = None
    reset: ClassVar[str | None] = None
    refractory: ClassVar[str | None] = None
    method: ClassVar[str | None] = None
    readout_equations: ClassVar[str] = "y : 1\ndrive : 1\nnoise : 1\ntarget : 1"
    readout_update: ClassVar[str] = "y = drive + noise"
    drive: ClassVar[str] = "drive"
    synaptic: ClassVar[str] = "drive"
    inhibitory: ClassVar[str | None] = None
    signed: ClassVar[tuple[str, ...]] = ()
    activity: ClassVar[str] = "a"
    trace: ClassVar[str] = "x"
    potential: ClassVar[str | None] = None
    adaptation: ClassVar[str | None] = None
    loss: ClassVar[str] = "(y - target)**2"

    hidden: int = option(100, "number of hidden units", least=1)
    bias: bool = option(True, "give the network one more input that is always 1")
    skip: bool = option(False, "connect the inputs to the readout directly too")
    skip_steps: int = option(1, "steps whose inputs this connection sees, the present one included", least=1)

    def parameters(self) -> dict[str, Any]:
        """Values of the group's parameters: one for all units or an array of one for each, with units."""
        return {}

    def initial_state(self) -> dict[str, Any]:
        """Values that hidden variables start a trial with, as `parameters`; 0 for those left out."""
        return {}

    def readout_parameters(self) -> dict[str, Any]:
        """Values of the readout's parameters."""
        return {}

    def readout_memory(self, dt: Any) -> float:
        """Part of the readout that is left after a step of length `dt`; 0 for one that doesn't leak."""
        return 0.0

    def highest_rate(self, dt: Any) -> Any:
        """Highest rate of a spiking cell in Hz, or (hidden,) of them, by its refractory time or the step.

        `refractory` counts where it names one of the `parameters`.
        """
        silence = self.parameters().get(self.refractory or "", dt)
        return 1 / (np.maximum(1, np.round(np.asarray(silence / dt))) * float(dt))

    def cells(self, dt: Any) -> Cells | None:
        """Constants of the cells for steps of length `dt`; None for other units."""
        return None

    def rates(self, dt: Any) -> Rates | None:
        """Constants of tanh units for steps of length `dt`; None for other units."""
        return None

    def dynamics(self, dt: Any) -> Dynamics | None:
        """Step of model and readout on arrays, for gradients; see `rendered` for the errors raised."""
        return rendered(self, dt)

    @property
    def outgoing(self) -> int | None:
        """Recurrent synapses from each cell, the existing ones of a `wiring`; None where all exist."""
        return None

    def wiring(self, rng: np.random.Generator, dt: Any) -> Wiring | None:
        """Recurrent synapses that exist, with delays in steps of length `dt`; None where all exist."""
        return None

    @property
    def disturbance(self) -> float:
        """Standard deviation, in base units, of noise that is the cells' own and no rule's; 0 for none.

        Above 0 the hidden variable ``disturbance`` has it, new in each step, pass, lane and unit.
        """
        return 0.0

    def realised(self, weights: Weights) -> Weights:
        """Weights that the synapses have when these are written, by name."""
        return weights

    def variable(self, name: str) -> str | None:
        """Hidden variable of a role (``"activity"``) or by its own name; None for a role without one."""
        return getattr(self, name) if name in ROLES else name

    def initial_weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> Weights:
        """``W_in`` (hidden, n_in), ``W_rec`` (hidden, hidden), ``W_out`` (n_out, hidden).

        `n_in` counts the bias. Where not all synapses exist, ``W_rec`` is a vector of those that do, see
        `Wiring`. Gaussian, of variance 1 / number of inputs, unless a model says otherwise.
        """
        return gaussian_weights(rng, self.hidden, n_in, n_out, (1.0, 1.0, 1.0), self.outgoing)

    def start_weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> Weights:
        """`initial_weights`, and where inputs reach the readout directly ``W_skip``, zeros.

        It is (n_out, skip_steps * n_in), with the weights of the present inputs first.
        """
        weights = self.initial_weights(rng, n_in, n_out)
        return weights | {"W_skip": np.zeros((n_out, self.skip_steps * n_in))} if self.skip else weights


def gaussian_weights(
    rng: np.random.Generator,
    hidden: int,
    n_in: int,
    n_out: int,
    gains: tuple[float, float, float],
    outgoing: int | None = None,
) -> Weights:
    """Independent Gaussian weights of standard deviation gain / sqrt(number of inputs).

    Parameters
    ----------
    rng : Generator
    hidden, n_in, n_out : int
    gains : tuple of float
        Of ``W_in``, ``W_rec`` and ``W_out``.
    outgoing : int, optional
        Recurrent synapses from each cell, which is also the mean number to each, where not all exist.
    """
    incoming = hidden if outgoing is None else outgoing
    sizes = {"W_in": (hidden, n_in), "W_rec": (hidden, incoming), "W_out": (n_out, hidden)}
    weights = {
        name: gain * rng.standard_normal(size) / np.sqrt(size[1])
        for (name, size), gain in zip(sizes.items(), gains, strict=True)
    }
    return weights if outgoing is None else weights | {"W_rec": weights["W_rec"].ravel()}


def orthogonal(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Random orthogonal matrix, which keeps the length of a vector."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return np.asarray(q * np.sign(np.diag(r)))
