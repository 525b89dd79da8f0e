"""`LoihiLearning`: three-factor learning as Lava's fixed point computes it, number for number."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.substrate.loihi_microcode import (
    ACCUMULATOR,
    FRACTION,
    WIDTHS,
    Factor,
    Term,
    parsed,
    require_one_decimation,
)
from neuroanp.types import Array

TRACE_MAX = 2**7 - 1
THIRD_FACTOR_TAU = 65_535.0
"""Time constant in steps by which third factors decay before they are used."""

ROUNDING_SEED = 2
"""Seed of the rounding of weights and tags, whatever the seed of a rule is."""

PORTS = ("y1", "y2", "y3")


class LoihiLearning:
    r"""Synapses of a dense connection, (post, pre), that learn by microcode in Lava's fixed point.

    All of it equals lava-nc 0.10.0 (``LearningDense``, process model ``fixed_pt``,
    ``Loihi3FLearningRule``) in every trace, weight and tag of every step: traces of 7 bits that are never
    negative, products that lose their low bits, saturation, and rounding by one random number for all
    synapses. Delays, graded spikes and sparse connections aren't covered.

    Parameters
    ----------
    weights : (post, pre) array of int
        Even, from -256 to 254.
    dw, dt : str, optional
        Equations of weights and tags, at least one of them.
    x1_impulse, x2_impulse : float
        What a spike adds to a trace. A fraction acts twice as large, as in Lava.
    x1_tau, x2_tau : float
        Time constants in steps; with 0 a trace is 0 but in the step of a spike.
    t_epoch : int
        Steps from one learning to the next.
    seed : int
        ``rng_seed`` of the rule.

    Attributes
    ----------
    weights, tag : (post, pre) array of int
    x1, x2 : (pre,) array of int
        Traces, as they were after the last learning.

    Raises
    ------
    InvalidValue
        For equations that Lava doesn't take and for numbers out of range.

    Examples
    --------
    >>> synapses = LoihiLearning([[10]], dw="2^-1*u0*t*y2", dt="2^-2*x0*y1")
    >>> synapses.step(pre=[True], y1=64)
    >>> synapses.step(pre=[False], y2=32)
    >>> synapses.weights, synapses.tag
    (array([[18]]), array([[16]]))
    """

    def __init__(
        self,
        weights: Any,
        *,
        dw: str | None = None,
        dt: str | None = None,
        x1_impulse: float = 0.0,
        x1_tau: float = 0.0,
        x2_impulse: float = 0.0,
        x2_tau: float = 0.0,
        t_epoch: int = 1,
        seed: int = 0,
    ) -> None:
        self.weights = _even(weights)
        self.tag = np.zeros_like(self.weights)
        equations = {"dw": dw, "dt": dt}
        self._terms = {
            name: parsed(text, f"LoihiLearning.{name}")
            for name, text in equations.items()
            if text is not None
        }
        if not self._terms:
            raise InvalidValue("LoihiLearning.dw", "an equation of weights or of tags", "neither")
        require_one_decimation([term for terms in self._terms.values() for term in terms], "LoihiLearning")
        _require_whole("t_epoch", t_epoch, 1)
        _require_whole("seed", seed, 0)
        constants = {"x1_impulse": x1_impulse, "x1_tau": x1_tau, "x2_impulse": x2_impulse, "x2_tau": x2_tau}
        for name, value in constants.items():
            if not 0 <= value < math.inf:
                raise InvalidValue(f"LoihiLearning.{name}", "a number of at least 0", value)
        self.t_epoch, self.steps = t_epoch, 0
        self._impulses, self._taus = (x1_impulse, x2_impulse), (x1_tau, x2_tau)
        post, pre = self.weights.shape
        self._traces = np.zeros((2, pre), int)
        self._pre_spiked, self._post_spiked = np.zeros(pre, int), np.zeros(post, int)
        self._generators = [np.random.default_rng(seed + place) for place in range(3)]
        self._rounding = np.random.default_rng(ROUNDING_SEED)
        self._draws = self._drawn()
        self._rounding.random()

    @property
    def x1(self) -> Array:
        return self._traces[0].copy()

    @property
    def x2(self) -> Array:
        return self._traces[1].copy()

    def step(self, pre: Any, post: Any = False, *, y1: Any = 0, y2: Any = 0, y3: Any = 0) -> None:
        """One step; each last one of an epoch changes weights and tags.

        Parameters
        ----------
        pre : (pre,) array of bool
            Spikes that arrive.
        post : (post,) array of bool, or bool
            Spikes of the postsynaptic cells. In a cell that fires, negative third factors count as 0.
        y1, y2, y3 : (post,) array of int, or int
            Third factors. Those of an epoch's last step count.

        Raises
        ------
        InvalidValue
            For arrays of another shape and third factors that are no whole numbers.
        """
        post_size, pre_size = self.weights.shape
        pre_now, post_now = _array("pre", pre, pre_size, "b"), _array("post", post, post_size, "b")
        sent = zip(PORTS, (y1, y2, y3), strict=True)
        third = np.array([_array(name, values, post_size, "biu") for name, values in sent], int)
        place = self.steps % self.t_epoch + 1
        again = (self._pre_spiked > 0) & pre_now
        for trace, size in zip(self._traces, self._impulses, strict=True):
            trace[again] = _with_impulse(trace[again], size, 0)
        self._pre_spiked[pre_now], self._post_spiked[post_now] = place, place
        self._drawn()
        self._draws = self._drawn()
        self.steps += 1
        if place == self.t_epoch:
            self._learn(third)
            self._pre_spiked[:], self._post_spiked[:] = 0, 0

    def _drawn(self) -> _Draws:
        decay, impulse, third_factor = self._generators
        return _Draws(decay.random(), int(impulse.integers(0, 128)), third_factor.random())

    def _learn(self, third: Array) -> None:
        histories = self._histories(third)
        self._traces = histories[0][-1]
        values = self._values(*histories)
        r = self._rounding.random()
        weights, tag = self._changed("dw", self.weights, values, r), self._changed("dt", self.tag, values, r)
        self.weights, self.tag = np.clip(weights, -256, 255), np.clip(tag, -257, 255)

    def _histories(self, third: Array) -> tuple[Array, Array]:
        """Traces (step, 2, pre) and third factors (step, 3, post), from before the epoch to its end."""
        traces, factors, draws = [self._traces], [third], self._draws
        for step in range(1, self.t_epoch + 1):
            x = np.zeros_like(self._traces)
            for k in (0, 1):
                if self._taus[k]:
                    x[k] = _decayed(traces[-1][k], self._taus[k], draws.decay)
                spiked = self._pre_spiked == step
                x[k, spiked] = _with_impulse(x[k, spiked], self._impulses[k], draws.impulse)
            y = _decayed(factors[-1], THIRD_FACTOR_TAU, draws.third_factor)
            y[:, self._post_spiked == step] = np.clip(y[:, self._post_spiked == step], 0, TRACE_MAX)
            traces.append(x)
            factors.append(y)
        return np.array(traces), np.array(factors)

    def _values(self, x: Array, y: Array) -> dict[str, dict[str, Array]]:
        """Values of the variables of a term, which broadcast to (post, pre), by its condition."""
        post, pre = (np.arange(size) for size in self.weights.shape)
        at_pre, at_post = self._pre_spiked, self._post_spiked
        seen = {
            "x0": (x[at_pre, :, pre].T[:, None, :], y[at_pre].transpose(1, 2, 0)),
            "y0": (x[at_post].transpose(1, 0, 2), y[at_post, :, post].T[:, :, None]),
            "u": (x[-1][:, None, :], y[-1][:, :, None]),
        }
        own = {"w": self.weights, "t": self.tag}
        return {
            condition: own | dict(zip(("x1", "x2", *PORTS), (*traces, *factors), strict=True))
            for condition, (traces, factors) in seen.items()
        }

    def _changed(self, name: str, old: Array, values: dict[str, dict[str, Array]], r: float) -> Array:
        if name not in self._terms:
            return old
        total = old << FRACTION
        for term in self._terms[name]:
            total = _saturated(total + self._product(term, values[term.condition]))
        exact = total / 2**FRACTION
        return _rounded(exact, r)

    def _product(self, term: Term, values: dict[str, Array]) -> Array:
        due = (self.steps // self.t_epoch) % 2**term.decimation == 0
        holds = {
            "x0": self._pre_spiked[None, :] > 0,
            "y0": self._post_spiked[:, None] > 0,
            "u": np.array(due),
        }
        product = np.ones(self.weights.shape, np.int32) * holds[term.condition]
        for factor in term.factors:
            product = product * _seen(factor, values[factor.variable])
        product = (product * np.int32(term.mantissa)) >> term.lost_bits
        return _saturated(product << (term.exponent + FRACTION))


class _Draws(NamedTuple):
    decay: float
    impulse: int
    third_factor: float


def _seen(factor: Factor, values: Array) -> Array:
    values = values + factor.constant
    if factor.sign_only:
        values = np.sign(values)
    limit = 2 ** WIDTHS[factor.variable]
    clipped: Array = np.clip(values, -limit, limit - 1).astype(np.int32)
    return clipped


def _rounded(exact: Array, r: float) -> Array:
    """Rounded numbers: up where the fraction is above the one random number of all of them."""
    below = np.floor(exact)
    rounded: Array = (below + (r < exact - below)).astype(int)
    return rounded


def _decayed(values: Array, tau: float, r: float) -> Array:
    return _rounded(np.exp(-1 / tau) * values, r)


def _with_impulse(trace: Array, size: float, r: int) -> Array:
    """Trace after an impulse, whose fraction counts in 256ths beside a random number below 128."""
    whole = math.floor(size)
    return np.clip(trace + whole + (r < round((size - whole) * 256)), 0, TRACE_MAX)


def _saturated(values: Array) -> Array:
    return np.clip(values, -(2**ACCUMULATOR) - 1, 2**ACCUMULATOR - 1)


def _even(weights: Any) -> Array:
    array = np.asarray(weights)
    expected = "even whole numbers from -256 to 254, (post, pre)"
    if array.ndim != 2 or not array.size or array.dtype.kind not in "iu":
        raise InvalidValue("LoihiLearning.weights", expected, f"{array.dtype} of shape {array.shape}")
    wrong = array[(array % 2 != 0) | (array < -256) | (array > 254)]
    if wrong.size:
        raise InvalidValue("LoihiLearning.weights", expected, int(wrong[0]))
    return array.astype(int)


def _array(name: str, values: Any, size: int, kinds: str) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in kinds or array.shape not in ((), (size,)):
        expected = f"{'True or False' if kinds == 'b' else 'whole numbers'}, one or ({size},)"
        raise InvalidValue(f"LoihiLearning.step.{name}", expected, f"{array.dtype} of shape {array.shape}")
    return np.broadcast_to(array, (size,))


def _require_whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidValue(f"LoihiLearning.{name}", f"a whole number of at least {least}", value)
