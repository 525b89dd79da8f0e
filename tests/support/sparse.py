"""Spiking networks with some of their recurrent synapses, and the dense ones that they must equal."""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import ms

from neuroanp.models import ALIF, EI, LIF, ConductanceLIF, Izhikevich
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.rules import NodePerturbation
from support.spiking import LANES, N_IN, N_OUT, STEPS

HIDDEN, OUTGOING = 30, 6
SPARSE = {"density": 0.2, "recurrent_gain": 1.5}
DELAYED = SPARSE | {"delay": 9 * ms, "least_delay": 2 * ms}
MODELS = {
    "lif": LIF(hidden=HIDDEN, input_gain=3.0, **SPARSE),
    "alif": ALIF(hidden=HIDDEN, input_gain=3.0, **SPARSE),
    "ei": EI(hidden=HIDDEN, input_gain=3.0, **SPARSE),
    "conductance-lif": ConductanceLIF(hidden=HIDDEN, input_gain=3.0, **SPARSE),
    "izhikevich": Izhikevich(hidden=HIDDEN, input_gain=20.0, **SPARSE | {"recurrent_gain": 20.0}),
}
LATE = LIF(hidden=HIDDEN, input_gain=3.0, **DELAYED)
HELD = NodePerturbation(sigma=0.3, hold=5)


def matrix(wiring, values, fill=0.0):
    """(N, N) of the vector of existing weights."""
    full = np.full((HIDDEN, HIDDEN), fill)
    full[wiring.targets.ravel(), np.repeat(np.arange(HIDDEN), wiring.targets.shape[1])] = values
    return full


def existing(wiring, full):
    """The vector of existing weights of (N, N)."""
    return full[wiring.targets.ravel(), np.repeat(np.arange(HIDDEN), wiring.targets.shape[1])]


def build(model, rule=HELD, passes=None, engine="runtime", lanes=LANES, **options):
    """A network with weights, which records what the rule asks for, and the trace of each pass."""
    noise = dataclasses.replace(rule.perturbation, recorded=(*rule.recorded, "trace"))
    made = Network(
        model, N_IN, N_OUT, 1 * ms, lanes=lanes, passes=passes or rule.passes, perturbation=noise, seed=1,
        engine=engine, **options,
    )  # fmt: skip
    made.load(model.initial_weights(np.random.default_rng(0), made.n_in, N_OUT))
    return made


def pair(model, **options):
    """A sparse network, and the dense one with zeros where synapses don't exist."""
    sparse, dense = build(model, **options), build(dataclasses.replace(model, density=1.0), **options)
    dense.load(sparse.weights | {"W_rec": matrix(sparse.wiring, sparse.weights["W_rec"])})
    return sparse, dense


def trials(lanes=LANES):
    """A trial and one that goes on from it."""
    rng = np.random.default_rng(3)
    first, second = (
        Trial(2 * rng.random((STEPS, lanes, N_IN)), rng.normal(size=(STEPS, lanes, N_OUT))) for _ in range(2)
    )
    return first, dataclasses.replace(second, carry=True)
