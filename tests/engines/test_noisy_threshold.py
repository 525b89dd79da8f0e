"""Noise at the threshold: every spiking model, both engines, and the step on arrays."""

import dataclasses

import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine.build.compiler import find_compiler
from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, EI, LIF, BalancedLIF, ConductanceLIF, CurrentLIF, Izhikevich, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.noisy_threshold import THRESHOLD_NOISE, with_noisy_threshold
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.rendering import PLAIN
from support.own_models import TwoPopulations

STEPS, LANES, N_IN, N_OUT = 80, 3, 3, 2
NOISE = Perturbation(target="thresholds", sigma=0.2, distribution="logistic", recorded=("potential",))
MODELS = {
    "lif": (LIF(hidden=9), 0.2),
    "izhikevich": (Izhikevich(hidden=9, bias_mean=10.0), 20.0),
    "own, in mV": (TwoPopulations(hidden=6, gain=3.0), 0.003),
    **{
        kind.name: (kind(hidden=9), 0.2) for kind in (ALIF, BalancedLIF, CurrentLIF, EI, ConductanceLIF)
    },
}  # fmt: skip
SLOW = set(MODELS) - {"lif", "own, in mV"}  # Brian2 takes seconds to solve some of the equations


def ran(model, sigma, engine):
    noise = dataclasses.replace(NOISE, sigma=sigma)
    made = Network(
        model, N_IN, N_OUT, 1 * ms, lanes=LANES, passes=("plus",), perturbation=noise, seed=1, engine=engine
    )
    made.load(model.initial_weights(np.random.default_rng(1), made.n_in, N_OUT))
    rng = np.random.default_rng(2)
    return made.run(Trial(rng.normal(size=(STEPS, LANES, N_IN)), rng.normal(size=(STEPS, LANES, N_OUT))))


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in MODELS]
)
def test_engines_and_the_step_on_arrays_agree(name):
    record = ran(*MODELS[name], "runtime")
    z = record.trace[1:]
    assert z.sum() > 10 and record.noise.std() > 0.9 * MODELS[name][1]
    dynamics = record.dynamics()
    states = {
        key: np.broadcast_to(
            value, (LANES, record.outputs.shape[3] if "readout." in key else z.shape[2])
        ).copy()
        for key, value in dynamics.start.items()
    }
    weights = {key: np.asarray(w) for key, w in record.weights.items()}
    variable = f"hidden.{THRESHOLD_NOISE}"
    assert variable in dynamics.constants
    for t in range(STEPS):
        constants = {**dynamics.constants, variable: record.noise[t]}
        states, trace, outputs = dynamics.step(PLAIN, weights, constants, states, record.inputs[t])
        np.testing.assert_array_equal(trace, z[t])
        np.testing.assert_allclose(outputs, record.outputs[t, 0], atol=1e-9)
    if find_compiler() is not None:
        compiled = ran(*MODELS[name], "compiled")
        np.testing.assert_allclose(compiled.noise, record.noise, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(compiled.trace, record.trace)
        np.testing.assert_allclose(compiled.outputs, record.outputs, atol=1e-9)


def test_the_noise_reaches_the_threshold_alone():
    """A cell spikes where potential plus noise is above the threshold; the potential is free of noise."""
    quiet, noisy = (ran(LIF(hidden=9, recurrent_gain=0.0), sigma, "runtime") for sigma in (0.0, 0.2))
    v = noisy.hidden["potential"][:, 0]
    free = np.ones_like(v, bool)
    for lag in (1, 2):
        free[lag:] &= noisy.trace[1:][:-lag] == 0
    np.testing.assert_array_equal(noisy.trace[1:] > 0, (v + noisy.noise > 1) & free)
    first = np.argmax(noisy.trace[1:] + quiet.trace[1:] > 0, axis=0)  # until the first spike
    for lane, cell in np.ndindex(first.shape):
        until = first[lane, cell] + 1
        np.testing.assert_allclose(
            v[:until, lane, cell], quiet.hidden["potential"][:until, 0, lane, cell], rtol=1e-12
        )


def test_models_without_a_threshold_to_perturb_are_refused():
    with pytest.raises(InvalidValue, match=r"^Network\.perturbation: expected noise on nodes or weights"):
        ran(TanhRNN(hidden=4), 0.1, "runtime")
    blind = type("Blind", (LIF,), {"__module__": LIF.__module__, "potential": None})
    with pytest.raises(InvalidValue, match=r"^Blind\.potential: expected the variable that its threshold"):
        with_noisy_threshold(blind())
    plain = ALIF()
    assert with_noisy_threshold(plain).threshold == "(v + threshold_noise) > 1 + b"
    assert plain.threshold == "v > 1 + b"


def test_noise_that_lasts_is_of_thresholds_and_logistic_noise_is_not_of_weights():
    with pytest.raises(InvalidValue, match=r"^Perturbation\.lasting: expected False but for noise on thr"):
        Perturbation(target="nodes", lasting=True)
    with pytest.raises(InvalidValue, match=r"^Perturbation\.distribution: expected gaussian or sign"):
        Perturbation(target="weights", distribution="logistic")
