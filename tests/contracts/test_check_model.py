"""`check_model` lets every model of ours through and says what is wrong with each broken one."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import numpy as np
import pytest
from brian2 import ms, mV

from neuroanp.config import registry
from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model, gaussian_weights
from neuroanp.testing import check_model

CHECKS = importlib.import_module("neuroanp.testing.check_model")
LOUD = {
    name: {"input_gain": 20.0} for name in ("lif", "alif", "current-lif", "conductance-lif", "izhikevich")
}
LOUD["ei"] = {"input_gain": 20.0, "excitatory": 0.6}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("tanh", "lif") else pytest.mark.slow)
        for name in registry.classes("model")
    ],
)
def test_each_that_is_offered_passes_its_check(name):
    check_model(registry.find("model", name)(hidden=5, **LOUD.get(name, {})))


class Unit(Model):
    """A leaky unit."""

    name = "unit"
    equations = """
        dx/dt = (tanh(a) - x) / tau : 1
        a : 1
        drive : 1
        noise : 1
        tau : second
    """
    update = "a = drive + noise"
    method = "exact"

    def parameters(self) -> dict[str, Any]:
        return {"tau": 5 * ms}

    def initial_weights(self, rng, n_in, n_out):
        return gaussian_weights(rng, self.hidden, n_in, n_out, (1.0, 1.0, 1.0))


class Garbled(Unit):
    """Equations that can't be read."""

    equations = "dx/dt = : 1"


class OtherActivity(Unit):
    """The noise is said to be added to what isn't there."""

    activity = "current"


class OtherTrace(Unit):
    """Synapses are said to see what isn't there."""

    trace = "rate"


class OtherDrive(Unit):
    """Projections are said to write to what isn't there."""

    drive = "input"


class OtherTarget(Unit):
    """Spikes are said to arrive where nothing is."""

    threshold = "x > 0.5"
    reset = "x = 0"
    synaptic = "v"


class Quiet(Unit):
    """No noise."""

    equations = Unit.equations.replace("noise", "current")


class Blind(Unit):
    """A readout that isn't told the target."""

    readout_equations = "y : 1\ndrive : 1\nnoise : 1"


class Weightless(Unit):
    """No initial weights."""

    initial_weights = Model.initial_weights


class ThreeWeights(Unit):
    """A bias for which there is no place."""

    def initial_weights(self, rng, n_in, n_out):
        return super().initial_weights(rng, n_in, n_out) | {"b": np.zeros(self.hidden)}


class Sideways(Unit):
    """Input weights that are (pre, post)."""

    def initial_weights(self, rng, n_in, n_out):
        weights = super().initial_weights(rng, n_in, n_out)
        return weights | {"W_in": weights["W_in"].T}


class Single(Unit):
    """Weights of single precision."""

    def initial_weights(self, rng, n_in, n_out):
        weights = super().initial_weights(rng, n_in, n_out)
        return {name: w.astype(np.float32) for name, w in weights.items()}


class Holes(Unit):
    """Weights with a hole."""

    def initial_weights(self, rng, n_in, n_out):
        weights = super().initial_weights(rng, n_in, n_out)
        weights["W_rec"][0, 0] = np.nan
        return weights


class Unseeded(Unit):
    """Weights from another generator."""

    def initial_weights(self, rng, n_in, n_out):
        return super().initial_weights(np.random.default_rng(), n_in, n_out)


class Fixed(Unit):
    """Always the same weights."""

    def initial_weights(self, rng, n_in, n_out):
        return super().initial_weights(np.random.default_rng(1), n_in, n_out)


class OtherUnits(Unit):
    """A time constant in volts."""

    def parameters(self):
        return {"tau": 5 * mV}


class Surplus(Unit):
    """A parameter that no equation has."""

    def parameters(self):
        return super().parameters() | {"gain": 2.0}


class Short(Unit):
    """A time constant for some of the units."""

    def parameters(self):
        return {"tau": [5, 6] * ms}


class Drifting(Unit):
    """A parameter that the equations change."""

    update = Unit.update + "\ntau = 7*ms"


class Singular(Unit):
    """Divides by an input that may be zero."""

    update = "a = drive + noise + 1 / drive"


class Counting(Unit):
    """A state shared by all, which no trial puts to rest."""

    equations = Unit.equations + "\nrun : 1 (shared)"
    update = "run = run + 1\na = drive + noise + 0.01 * run"


class Clocked(Unit):
    """Knows the time of its trial, which starts again in every window."""

    update = "a = drive + noise + t / (10*ms)"


class Unreached(Unit):
    """The activity is what only recurrent input reaches."""

    equations = Unit.equations + "\nb : 1"
    activity = "b"
    update = "a = drive + noise\nb = noise"


class Noiseless(Unit):
    """The noise is left out."""

    update = "a = drive"


class QuietReadout(Unit):
    """The noise of the readout is left out."""

    readout_update = "y = drive"


class Uneven(Unit):
    """The passes aren't alike."""

    update = "a = drive + noise + 0.01 * i"


class Lopsided(Unit):
    """The minus pass doesn't see what the plus pass sees."""

    update = "a = drive + noise * (1 + i)"


class Numbered(Unit):
    """The lanes aren't alike."""

    hidden: int = dataclasses.field(default=5, metadata={"doc": "units", "unit": "1"})
    update = "a = drive + noise + 0.5 * int(i % 20 < 5)"


BROKEN = [
    (Unit, r"check_model\.model: expected an instance"),
    (Garbled(), r"Garbled\.equations: expected equations that Brian2 can read"),
    (OtherActivity(), r"OtherActivity\.activity: expected a variable of the equations .*, got current"),
    (OtherTrace(), r"OtherTrace\.trace: expected a variable of the equations"),
    (OtherDrive(), r"OtherDrive\.drive: expected a variable of the equations"),
    (OtherTarget(), r"OtherTarget\.synaptic: expected a variable of the equations"),
    (Quiet(), r"Quiet\.equations: expected a variable noise"),
    (Blind(), r"Blind\.readout_equations: expected variables y, drive, noise and target, got no target"),
    (Weightless(), r"Weightless\.initial_weights: expected a definition"),
    (ThreeWeights(), r"ThreeWeights\.initial_weights: expected W_in, W_rec, W_out, got W_in, .*, b"),
    (Sideways(), r"Sideways\.initial_weights: expected W_in of shape \(100, 3\), got shape \(3, 100\)"),
    (Single(), r"Single\.initial_weights: expected W_in of float64, got float32"),
    (Holes(), r"Holes\.initial_weights: expected finite numbers in W_rec"),
    (Unseeded(), r"Unseeded\.initial_weights: expected the same W_in under the same seed"),
    (Fixed(), r"Fixed\.initial_weights: expected other weights under other seeds"),
    (OtherUnits(hidden=5), r"OtherUnits\.equations: expected what Brian2 can build, got DimensionMismatch"),
    (Surplus(hidden=5), r"Surplus\.equations: expected what Brian2 can build, got .*gain"),
    (
        Short(hidden=5),
        r"Short\.parameters: expected one number for 'tau', or an array of 5, got shape \(2,\)",
    ),
    (Drifting(hidden=5), r"Drifting\.parameters: expected a 'tau' that the cells keep"),
    (Singular(hidden=5), r"Singular\.equations: expected a finite \w+ at rest"),
    (
        Counting(hidden=5),
        r"Counting\.equations: expected the same \w+ in every run of a trial, each from rest",
    ),
    (Clocked(hidden=5), r"Clocked\.equations: expected \w+ of a carried window as in one long run"),
    (Unreached(hidden=5), r"Unreached\.drive: expected input that reaches the activity"),
    (Noiseless(hidden=5), r"Noiseless\.activity: expected noise that reaches activity in the same step"),
    (QuietReadout(hidden=5), r"QuietReadout\.readout_update: expected noise that reaches outputs"),
    (Uneven(hidden=5), r"Uneven\.equations: expected the same \w+ in all passes without noise"),
    (Lopsided(hidden=5), r"Lopsided\.equations: expected a minus pass whose \w+ mirrors the plus pass"),
    (Numbered(), r"Numbered\.equations: expected the same \w+ for the same input, whatever the lane"),
]


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize(("model", "message"), BROKEN, ids=[message.split(":")[0] for _, message in BROKEN])
def test_a_broken_model_is_told_what_is_wrong(model, message):
    with pytest.raises(InvalidValue, match=message):
        check_model(model)


def test_engines_that_disagree_are_seen(monkeypatch):
    build, louder = CHECKS._build, {"runtime": 1.0, "compiled": 1.0}
    monkeypatch.setattr(CHECKS, "find_compiler", lambda: "a compiler")
    monkeypatch.setattr(CHECKS, "_build", lambda model, s, e: build(model, s * louder[e], "runtime"))
    check_model(Unit(hidden=5))
    louder["compiled"] += 1e-6
    message = r"Unit\.equations: expected the same traces on both engines, to 1e-9, got a difference of \d"
    with pytest.raises(InvalidValue, match=message):
        check_model(Unit(hidden=5))


def test_without_a_compiler_the_runtime_is_enough(monkeypatch):
    built = []
    build = CHECKS._build
    monkeypatch.setattr(CHECKS, "_build", lambda *given: built.append(given[2]) or build(*given))
    monkeypatch.setattr(CHECKS, "find_compiler", lambda: None)
    check_model(Unit(hidden=5))
    assert built == ["runtime"]
