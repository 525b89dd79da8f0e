"""What all rules share: options, factors, and the product of factors that is the update."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroanp import checks
from neuroanp.errors import InvalidValue
from neuroanp.filters import leaky, leaky_back
from neuroanp.options import option
from neuroanp.passes import clean
from neuroanp.perturbation import Perturbation
from neuroanp.record import Record
from neuroanp.rules._wired import arrivals, wired_outer
from neuroanp.synapse import UNDECLARED, NotLocal, Synapse

Array = NDArray[Any]

SOURCE = {"W_in": "D_in", "W_rec": "D_hidden", "W_out": "D_hidden"}
"""Which matrix decorrelates the trace of which weights."""

PART = 1024
"""Samples (steps x lanes) of a long trial that are summed at a time, to stay in the cache."""


DELTA = Synapse(
    state=("filtered", "gradient"),
    eligibility="filtered = going * readout_memory * filtered + trace_pre",
    credit="gradient += course * mask * 2 * (y_post - target_post) * filtered / N_post",
    forget="gradient = 0",
)
"""A synapse of a readout that learns by the local delta rule, see `delta`; its trace leaks as outputs do."""


class Layer(NamedTuple):
    """The perturbed variable of one layer of n units."""

    noise: Array
    """(T, L, n) perturbation of the plus pass."""
    activity: Array
    """(T, P, L, n) activity of each pass, with the noise in it."""
    sigma: float
    """Standard deviation of the noise."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """Base of all rules: a frozen dataclass whose fields are the rule's options.

    A rule is one file. One that perturbs nodes and has three factors derives from `NodeRule` and defines
    `post`; one that needs noise of any kind derives from `NoiseRule`; any other defines `update`. It is found
    by its name once its package lists it under the entry point group ``neuroanp.rules``. `own_synapse` says
    what one synapse does by it, for the on-chip mode.

    Attributes
    ----------
    name : str
        Name in the shell.
    records : tuple of str
        What the rule reads of hidden variables besides the trace: roles that a model gives
        (``"activity"``, ``"potential"``, ``"adaptation"``) or variables by their own names.
    compares : bool
        Whether it compares hidden variables of two passes, so that one noisy pass is not enough.
    sparse : bool
        Whether its update of ``W_rec`` is one of existing synapses alone where the record has a wiring; see
        `recurrent`.
    limit : str
        Why the mean of its updates is not the gradient, in a sentence or two; empty where it is.

    Parameters
    ----------
    readout : str
        How ``W_out`` learns: ``"perturb"`` by the rule, from noise on the readout; ``"delta"`` by the local
        delta rule, without noise; ``"fixed"`` not at all.

    Raises
    ------
    InvalidValue
        For an unknown `readout`.
    """

    name: ClassVar[str]
    records: ClassVar[tuple[str, ...]] = ()
    compares: ClassVar[bool] = False
    sparse: ClassVar[bool] = False
    limit: ClassVar[str] = ""
    readouts: ClassVar[tuple[str, ...]] = ("perturb", "delta", "fixed")

    readout: str = option("perturb", "how the readout learns (perturb, delta, fixed)")

    def __post_init__(self) -> None:
        checks.one_of(self, "readout", self.readouts)

    @property
    def passes(self) -> tuple[str, ...]:
        """The passes that the rule needs."""
        return ("clean",)

    @property
    def perturbation(self) -> Perturbation:
        """The noise that the rule asks of a network."""
        return Perturbation(records=self.records)

    def update(self, record: Record, modulator: Array) -> dict[str, Array]:
        """Estimate of the gradient from one trial.

        Parameters
        ----------
        record : Record
        modulator : (T, L) or (T, 1) array
            One column a lane, or one for all lanes.

        Returns
        -------
        dict of (post, pre) arrays of float64 by weight name, new ones, to be subtracted from the weights
        times a learning rate. Weights that don't learn are not in it.
        """
        raise TypeError(f"{type(self).__name__} does not define update")

    def synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        """What one synapse does in the on-chip mode, where passes follow one another on one network.

        Parameters
        ----------
        name : str
            ``"W_in"``, ``"W_rec"`` or ``"W_out"``.
        passes : tuple of str
            The passes of a trial.
        """
        if name == "W_out" and self.readout == "fixed":
            return Synapse()
        if name == "W_out" and self.readout == "delta":
            if "minus" in passes:
                return NotLocal(
                    quantity="the means of output and trace over the plus and the minus pass",
                    variant=f"{type(self).__name__}(mirrored=False)",
                )
            return DELTA
        return self.own_synapse(name, passes)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        """`synapse` where it learns by the rule itself; a rule that doesn't define it can't go on a chip."""
        return UNDECLARED


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoiseRule(Rule):
    """Base of the rules that need noise.

    Attributes
    ----------
    perturbs : str
        Where the noise goes: ``"nodes"`` (activity) or ``"weights"``.
    distributions : tuple of str
        The distributions there are to choose from.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise, 0 or more, in the unit of what it is added to. Without noise nothing
        is learned from it: the update is zero.
    mirrored : bool
        Compare a pass with +noise and one with -noise, instead of +noise and none. Second-order effects of
        the noise cancel, so a larger sigma can be used. It makes no difference with a modulator that needs
        one noisy pass only.
    distribution : str
        ``"gaussian"``, or ``"sign"``: plus or minus sigma, cheaper to draw and with less variance in the
        estimate.

    See `Rule` for `readout`.

    Raises
    ------
    InvalidValue
        For a sigma that isn't a finite number of 0 or more, and an unknown `readout` or `distribution`.
    """

    perturbs: ClassVar[str] = "nodes"
    distributions: ClassVar[tuple[str, ...]] = ("gaussian", "sign")

    sigma: float = option(0.01, "standard deviation of the noise")
    mirrored: bool = option(True, "compare +noise with -noise instead of with no noise")
    distribution: str = option("gaussian", "distribution of the noise (gaussian, sign)")

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.not_negative(self, "sigma")
        checks.one_of(self, "distribution", self.distributions)
        if not isinstance(self.mirrored, bool):
            raise InvalidValue(f"{type(self).__name__}.mirrored", "True or False", self.mirrored)

    @property
    def passes(self) -> tuple[str, ...]:
        """The passes that the rule compares."""
        return ("plus", "minus") if self.mirrored else ("clean", "plus")

    @property
    def perturbation(self) -> Perturbation:
        return Perturbation(
            target=self.perturbs,
            sigma=self.sigma,
            distribution=self.distribution,
            hold=self.held,
            readout=self.readout == "perturb",
            readout_sigma=self.output_sigma,
            records=self.records,
        )

    @property
    def held(self) -> int:
        """Steps for which one draw of the noise lasts, 0 for the whole trial."""
        return 1

    @property
    def output_sigma(self) -> float:
        """Standard deviation of the noise on the readout."""
        return self.sigma


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodeRule(NoiseRule):
    r"""A rule of three factors.

    .. math:: \Delta W_{ij} \propto \sum_{t,l} M_{t,l} \; \mathrm{post}_{t,l,i} \; \mathrm{pre}_{t,l,j}

    A subclass gives the first two as `post`; the trace `pre` and the sum are the same for all.

    Examples
    --------
    A rule of one's own, here with the sign of the noise for hardware that can't multiply by it::

        class SignPerturbation(NodeRule):
            name: ClassVar[str] = "sign-perturbation"

            def post(self, layer, record, modulator):
                return times(modulator / layer.sigma, np.sign(layer.noise))
    """

    sparse: ClassVar[bool] = True

    def post(self, layer: Layer, record: Record, modulator: Array) -> Array:
        """Modulator times postsynaptic factor (T, L, n) of one layer.

        Each step is judged by itself: long trials are handed over in parts. Not called when the layer's
        sigma is 0.
        """
        raise TypeError(f"{type(self).__name__} does not define post")

    def update(self, record: Record, modulator: Array) -> dict[str, Array]:
        """The sum over steps and lanes of post times trace, by weight name; see `Rule.update`."""
        steps, lanes = record.mask.shape
        size = max(1, PART // lanes)
        error = delta(record) if self.readout == "delta" else None
        if steps <= 2 * size:
            return self._sum(record, modulator, error, record.decorrelation)
        update: dict[str, Array] = {}
        for first in range(0, steps, size):
            cut = slice(first, min(first + size, steps))
            share = part(record, cut.start, cut.stop)
            late = None if error is None else error[cut]
            for name, product in self._sum(share, modulator[cut], late, {}).items():
                update[name] = update[name] + product if name in update else product
        D = record.decorrelation
        return {name: total @ D[SOURCE[name]].T for name, total in update.items()} if D else update

    def _sum(
        self, record: Record, modulator: Array, error: Array | None, D: Mapping[str, Array]
    ) -> dict[str, Array]:
        course = _course(record)
        x = course[1:]
        seen = course[:-1] if record.wiring is None else arrived(record, x)
        hidden = self._post(Layer(record.noise, record.activity, self.sigma), record, modulator, x)
        update = {
            "W_in": outer(hidden, record.inputs, D.get("D_in")),
            "W_rec": recurrent(record, hidden, seen, D.get("D_hidden")),
        }
        return update | self._readout(record, x, modulator, error, D)

    def _readout(
        self, record: Record, x: Array, modulator: Array, error: Array | None, D: Mapping[str, Array]
    ) -> dict[str, Array]:
        if self.readout == "perturb":
            layer = Layer(record.noise_out, record.outputs, self.output_sigma)
            output = self._post(layer, record, modulator, record.targets)
            return {"W_out": outer(output, x, D.get("D_hidden"))}
        return {} if error is None else {"W_out": outer(error, x, D.get("D_hidden"))}

    def _post(self, layer: Layer, record: Record, modulator: Array, like: Array) -> Array:
        return self.post(layer, record, modulator) if layer.sigma > 0 else np.zeros_like(like)


def part(record: Record, first: int, last: int) -> Record:
    """Steps `first` to before `last`, as views: a trial of its own, from the state that they start in."""
    cut = slice(first, last)
    return dataclasses.replace(
        record,
        loss=record.loss[cut],
        mask=record.mask[cut],
        inputs=record.inputs[cut],
        state=record.state[cut],
        initial=record.state[first - 1] if first else record.initial,
        activity=record.activity[cut],
        noise=record.noise[cut],
        outputs=record.outputs[cut],
        targets=record.targets[cut],
        noise_out=record.noise_out[cut],
        hidden={name: values[cut] for name, values in record.hidden.items()},
        past=_past(record, first),
    )


def _past(record: Record, first: int) -> Array | None:
    if record.past is None:
        return None
    late = record.state[max(0, first - len(record.past)) : first]
    return np.concatenate([record.past[first:], clean(late, record.passes)])


def _course(record: Record) -> Array:
    """The hidden trace (T + 1, L, N) from the state at the start on: one array for both its views."""
    steps, lanes = record.mask.shape
    course = np.empty((steps + 1, lanes, record.state.shape[-1]), record.state.dtype)
    course[0] = clean(record.initial[None], record.passes)[0]
    clean(record.state, record.passes, out=course[1:])
    return course


def times(modulator: Array, factor: Array) -> Array:
    """Modulator (T, L) or (T, 1) times a factor (T, L, n), in the factor's dtype."""
    product: Array = modulator.astype(factor.dtype, copy=False)[:, :, None] * factor
    return product


def before(record: Record, x: Array) -> Array:
    """The hidden trace (T, L, N) one step earlier, the initial state before the first step."""
    earlier = np.empty(x.shape, x.dtype)
    earlier[0] = clean(record.initial[None], record.passes)[0]
    earlier[1:] = x[:-1]
    return earlier


def arrived(record: Record, x: Array) -> Array:
    """The hidden trace (T, L, N) as recurrent synapses see it: a step later, and by a wiring's delays."""
    if record.wiring is None or record.past is None:
        return before(record, x)
    return arrivals(record.wiring, x, record.past)


def pre(record: Record, name: str) -> Array:
    """The presynaptic factor of one weight matrix: what its synapses see of their source.

    Parameters
    ----------
    record : Record
    name : str
        ``"W_in"``: the input; ``"W_rec"``: the hidden trace one step earlier, or more with axonal
        delays; ``"W_out"``: the hidden trace.

    Returns
    -------
    (T, L, n_pre) array of the course without noise, decorrelated where the record has D matrices.
    """
    if name == "W_in":
        x, D = record.inputs, record.decorrelation.get("D_in")
    else:
        x, D = clean(record.state, record.passes), record.decorrelation.get("D_hidden")
        x = arrived(record, x) if name == "W_rec" else x
    return x if D is None else x @ D.T


def outer(post: Array, x: Array, D: Array | None = None) -> Array:
    r"""The sum over steps and lanes of post times decorrelated trace.

    .. math:: \sum_{t,l} \mathrm{post}_{t,l} (D x_{t,l})^\top
              = \Big(\sum_{t,l} \mathrm{post}_{t,l} x_{t,l}^\top\Big) D^\top

    The right side is the cheaper one unless the trial has fewer samples (steps x lanes) than there are units.

    Parameters
    ----------
    post : (T, L, n_post) array
        Products are formed in its dtype.
    x : (T, L, n_pre) array
        Trace before decorrelation.
    D : (n_pre, n_pre) array, optional

    Returns
    -------
    (n_post, n_pre) array of float64.
    """
    dtype = post.dtype
    post = post.reshape(-1, post.shape[-1])
    x = x.reshape(-1, x.shape[-1]).astype(dtype, copy=False)
    product: Array
    if D is None:
        product = post.T @ x
    elif len(post) < post.shape[1]:
        product = post.T @ (x @ D.T.astype(dtype, copy=False))
    else:
        product = (post.T @ x) @ D.T.astype(dtype, copy=False)
    return product.astype(np.float64, copy=False)


def recurrent(record: Record, post: Array, x: Array, D: Array | None = None) -> Array:
    """`outer` for ``W_rec``: where the record has a wiring, the (n_synapses,) vector of the existing weights.

    Parameters
    ----------
    record : Record
    post : (T, L, N) array
    x : (T, L, N) array
        Trace as synapses see it, see `arrived`. With a wiring, what is zero costs nothing.
    D : (N, N) array, optional
    """
    return outer(post, x, D) if record.wiring is None else wired_outer(record.wiring, post, x)


def recurrent_leaky(
    record: Record, post: Array, x: Array, memory: float, D: Array | None = None, gain: float = 1.0
) -> Array:
    """`recurrent` for synapses that see ``gain * leaky(x, memory)``.

    With a wiring the sum that `leaky` makes forward over the trace is made backward over `post`, the same by
    `leaky_back`, so that the trace keeps its zeros.
    """
    if record.wiring is None:
        return outer(post, gain * leaky(x, memory), D)
    return wired_outer(record.wiring, gain * leaky_back(post, memory), x)


def delta(record: Record) -> Array:
    r"""Postsynaptic factor (T, L, n_out) of the local delta rule.

    .. math:: \delta_{t,l} = \frac{2}{n_{out} L} \sum_{s \ge t} \kappa^{s-t} m_{s,l} \, (y_{s,l} - y^*_{s,l})

    so that its product with the trace is the gradient, with respect to ``W_out``, of the mean over lanes of
    the sum over steps of ``mask * loss``. :math:`\kappa` is what is left of the readout after a step: 0 for a
    readout that doesn't leak. One that does has errors summed backwards here, which is the same sum as that
    of each error times the trace filtered forwards, which a synapse can keep.
    """
    _, lanes, n_out = record.targets.shape
    output = clean(record.outputs, record.passes)
    error: Array = output - record.targets.astype(output.dtype, copy=False)
    counted = times(record.mask * (2.0 / (n_out * lanes)), error)
    if record.readout_memory == 0:
        return counted
    return leaky_back(counted, record.readout_memory).astype(counted.dtype, copy=False)
