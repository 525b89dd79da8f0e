"""`check_model`: what a model has to hold to be simulated, perturbed and trained."""

from __future__ import annotations

import numpy as np
from brian2 import Equations, ms
from brian2.core.base import BrianObjectException
from brian2.equations.equations import EquationError
from brian2.units.fundamentalunits import DimensionMismatchError

from neuroanp.engine.build.compiler import find_compiler
from neuroanp.errors import InvalidValue, NeuroANPError
from neuroanp.network.model import Model, Weights
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.network.trial import Trial
from neuroanp.testing._part import check_part, require
from neuroanp.types import Array

N_IN, N_OUT, LANES, STEPS = 3, 2, 4, 20
PASSES = ("clean", "plus", "minus")
CLEAN, PLUS, MINUS = range(3)
REFUSALS = (
    BrianObjectException, EquationError, DimensionMismatchError, SyntaxError, AttributeError, KeyError,
    NameError, TypeError, ValueError,
)  # fmt: skip
"""Exceptions of Brian2 for equations, parameters and variables that it can't make a network of."""


def check_model(model: Model, *, sigma: float = 0.1) -> None:
    """Check a model of one's own; returns nothing when all is well.

    Checked are: its options are documented and survive ``config.json``; its weights have the promised
    shapes and follow the seed; its equations build on Brian2's runtime and, where there is a compiler, on the
    compiled engine, with the same numbers to 1e-9; its parameters reach the cells and stay; at rest, without
    input and weights, all is finite; every trial starts from rest; input and noise reach the activity of
    every unit in the same step, and noise the readout; passes and lanes are all alike, and the minus pass
    mirrors the plus pass; and windows that are carried on make one long run.

    Parameters
    ----------
    model : Model
        With few hidden units the check is quick.
    sigma : float
        Standard deviation of the noise to try it with, in the unit of the model's noise.

    Raises
    ------
    InvalidValue
        With what is wrong, as ``Class.field: expected ..., got ...``.
    DataError
        For a model that can't be read back from ``config.json``.

    Examples
    --------
    >>> from neuroanp.models import TanhRNN
    >>> check_model(TanhRNN(hidden=5))
    """
    check_part(model, Model)
    _check_variables(model)
    _check_weights(model)
    network = _build(model, sigma, "runtime")
    _check_parameters(model, network)
    _check_rest(model, network)
    _check_reach(model, network)
    _check_parameters(model, network)
    _check_passes(model, network, sigma)
    _check_lanes(model, network)
    _check_carry(model, network)
    if find_compiler() is not None:
        _check_engines(model, network, _build(model, sigma, "compiled"))


def _check_variables(model: Model) -> None:
    cls = type(model)
    try:
        hidden, readout = (Equations(text).names for text in (model.equations, model.readout_equations))
    except REFUSALS as error:
        raise InvalidValue(
            f"{cls.__name__}.equations", "equations that Brian2 can read", f"{error}"
        ) from error
    for role in ("activity", "trace", "drive", "synaptic"):
        name = getattr(model, role)
        spikes = role != "synaptic" or model.threshold is not None
        listed = f"a variable of the equations ({', '.join(sorted(hidden))})"
        require(name in hidden or not spikes, f"{cls.__name__}.{role}", listed, name)
    require("noise" in hidden, f"{cls.__name__}.equations", "a variable noise", ", ".join(sorted(hidden)))
    missing = {"y", "drive", "noise", "target"} - set(readout)
    listed = "variables y, drive, noise and target"
    require(not missing, f"{cls.__name__}.readout_equations", listed, f"no {', '.join(sorted(missing))}")


def _check_weights(model: Model) -> None:
    where = f"{type(model).__name__}.initial_weights"
    defined = type(model).initial_weights is not Model.initial_weights
    require(defined, where, "a definition", "none")
    first, again, other = (
        model.initial_weights(np.random.default_rng(seed), N_IN, N_OUT) for seed in (1, 1, 2)
    )
    shapes = _shapes(model, N_IN)
    require(set(first) == set(shapes), where, ", ".join(shapes), ", ".join(first))
    for name, shape in shapes.items():
        array = np.asarray(first[name])
        require(array.shape == shape, where, f"{name} of shape {shape}", f"shape {array.shape}")
        require(array.dtype == np.float64, where, f"{name} of float64", f"{array.dtype}")
        require(np.isfinite(array).all(), where, f"finite numbers in {name}", "others")
        same = np.array_equal(array, again[name])
        require(same, where, f"the same {name} under the same seed", "another one")
    varies = any(not np.array_equal(first[name], other[name]) for name in shapes)
    require(varies, where, "other weights under other seeds", "the same ones")


def _build(model: Model, sigma: float, engine: str) -> Network:
    noise = Perturbation(target="nodes", sigma=sigma, readout=True, recorded=("activity", "trace"))
    try:
        network = Network(
            model, N_IN, N_OUT, 1 * ms, lanes=LANES, passes=PASSES, perturbation=noise, engine=engine, seed=1
        )
    except NeuroANPError:
        raise
    except REFUSALS as error:
        cause = error.__cause__ or error
        got = f"{type(cause).__name__}: {cause}"
        raise InvalidValue(f"{type(model).__name__}.equations", "what Brian2 can build", got) from error
    network.load(_weights(network))
    return network


def _weights(network: Network) -> Weights:
    rng = np.random.default_rng(2)
    fan_in = {"W_in": network.n_in, "W_rec": network.model.outgoing or network.model.hidden}
    shapes = _shapes(network.model, network.n_in)
    if network.model.skip:
        shapes["W_skip"] = N_OUT, network.model.skip_steps * network.n_in
    return {
        name: rng.standard_normal(shape) / np.sqrt(fan_in.get(name, network.model.hidden))
        for name, shape in shapes.items()
    }


def _shapes(model: Model, n_in: int) -> dict[str, tuple[int, ...]]:
    cells, outgoing = model.hidden, model.outgoing
    recurrent = (cells, cells) if outgoing is None else (cells * outgoing,)
    return {"W_in": (cells, n_in), "W_rec": recurrent, "W_out": (N_OUT, cells)}


def _trial(steps: int = STEPS) -> Trial:
    rng = np.random.default_rng(3)
    return Trial(rng.standard_normal((steps, LANES, N_IN)), rng.standard_normal((steps, LANES, N_OUT)))


def _silent() -> Trial:
    return Trial(np.zeros((STEPS, LANES, N_IN)), np.zeros((STEPS, LANES, N_OUT)))


def _run(network: Network, trial: Trial, sigma: float | None = None) -> dict[str, Array]:
    record: Record = network.run(trial, 1, sigma=sigma)
    return {name: getattr(record, name).copy() for name in ("traces", "activity", "outputs", "loss")}


def _close(first: Array, other: Array) -> bool:
    return bool(np.allclose(first, other, rtol=1e-9, atol=1e-9))


def _check_parameters(model: Model, network: Network) -> None:
    groups = {
        "parameters": (model.parameters(), network.parts.hidden, model.hidden),
        "readout_parameters": (model.readout_parameters(), network.parts.readout, N_OUT),
    }
    for method, (parameters, group, size) in groups.items():
        where = f"{type(model).__name__}.{method}"
        for name, value in parameters.items():
            shape = np.shape(value)
            expected = f"one number for {name!r}, or an array of {size}"
            require(shape in ((), (size,)), where, expected, f"shape {shape}")
            cells = np.asarray(getattr(group, f"{name}_"))
            values = np.resize(np.asarray(value, dtype=float), cells.shape)
            stays = np.allclose(cells, values, rtol=1e-12, atol=0)
            require(stays, where, f"a {name!r} that the cells keep", "another value after a run")


def _check_rest(model: Model, network: Network) -> None:
    network.load({name: np.zeros_like(w) for name, w in _weights(network).items()})
    for name, values in _run(network, _silent(), sigma=0.0).items():
        finite = np.isfinite(values).all()
        expected = f"a finite {name} at rest, without input and weights"
        require(finite, f"{type(model).__name__}.equations", expected, "another one")
    network.load(_weights(network))
    first, again = (_run(network, _trial()) for _ in range(2))
    for name, values in first.items():
        same = np.array_equal(values, again[name])
        expected = f"the same {name} in every run of a trial, each from rest"
        require(same, f"{type(model).__name__}.equations", expected, "others")


def _check_reach(model: Model, network: Network) -> None:
    """Without weights but ``W_in`` every unit is by itself."""
    weights = _weights(network)
    network.load(weights | {name: np.zeros_like(weights[name]) for name in ("W_rec", "W_out")})
    silent, driven = (_run(network, trial, sigma=0.0)["activity"][0] for trial in (_silent(), _trial()))
    where = f"{type(model).__name__}.drive"
    require((driven != silent).all(), where, "input that reaches the activity of every unit", "units without")
    noisy = _run(network, _trial())
    for name, field in (("activity", "activity"), ("outputs", "readout_update")):
        moved = (noisy[name][0, PLUS] != noisy[name][0, CLEAN]).all()
        where = f"{type(model).__name__}.{field}"
        require(moved, where, f"noise that reaches {name} in the same step", "units without")
    network.load(weights)


def _check_passes(model: Model, network: Network, sigma: float) -> None:
    where = f"{type(model).__name__}.equations"
    quiet, noisy, mirror = (_run(network, _trial(), sigma=s) for s in (0.0, sigma, -sigma))
    for name in quiet:
        passes = quiet[name].swapaxes(0, 1)
        same = all(_close(one, passes[CLEAN]) for one in passes)
        require(same, where, f"the same {name} in all passes without noise", "others")
        mirrored = _close(noisy[name][:, MINUS], mirror[name][:, PLUS])
        require(mirrored, where, f"a minus pass whose {name} mirrors the plus pass", "another course")


def _check_lanes(model: Model, network: Network) -> None:
    where = f"{type(model).__name__}.equations"
    trial, order = _trial(), np.roll(np.arange(LANES), 1)
    swapped = Trial(trial.inputs[:, order], trial.targets[:, order])
    plain, other = (_run(network, each, sigma=0.0) for each in (trial, swapped))
    for name, values in plain.items():
        same = _close(values[:, :, order], other[name])
        require(same, where, f"the same {name} for the same input, whatever the lane", "others")


def _check_carry(model: Model, network: Network) -> None:
    where = f"{type(model).__name__}.equations"
    trial, half = _trial(), STEPS // 2
    whole = _run(network, trial, sigma=0.0)
    _run(network, Trial(trial.inputs[:half], trial.targets[:half]), sigma=0.0)
    window = Trial(trial.inputs[half:], trial.targets[half:], carry=True)
    for name, values in _run(network, window, sigma=0.0).items():
        expected = f"{name} of a carried window as in one long run"
        require(_close(values, whole[name][half:]), where, expected, "another course")


def _check_engines(model: Model, runtime: Network, compiled: Network) -> None:
    one, other = (_run(network, _trial()) for network in (runtime, compiled))
    for name, values in one.items():
        where = f"{type(model).__name__}.equations"
        expected = f"the same {name} on both engines, to 1e-9"
        difference = float(np.abs(values - other[name]).max())
        require(_close(values, other[name]), where, expected, f"a difference of {difference:.2g}")
