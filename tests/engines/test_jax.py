"""Engine `jax`: its noise, its trainings and its trials are those of the compiled engine, in float64."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from brian2 import ms

import neuroanp as nap
from neuroanp.engine import noise
from neuroanp.errors import Diverged, InvalidValue
from neuroanp.models import (
    ALIF,
    EI,
    LIF,
    BalancedLIF,
    ConductanceLIF,
    CurrentLIF,
    Izhikevich,
    LeakyTanhRNN,
    TanhRNN,
)
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.optim import SGD, Clip, ShiftSGD, SignSGD, WeightBounds
from neuroanp.reward import InputCritic, Modulator, OtherLanes, RunningMean
from neuroanp.rules import (
    SPSA,
    ActivityPerturbation,
    DelayedHebbian,
    EProp,
    EscapeScore,
    EvolutionStrategies,
    NodePerturbation,
    OrnsteinUhlenbeck,
    RandomFeedback,
    ReadoutOnly,
    ResponsePerturbation,
    RewardSTDP,
    WeightPerturbation,
)
from neuroanp.substrate import Analog
from neuroanp.tasks import CartPole, CopyingMemory, MackeyGlass, PatternGeneration
from neuroanp.training.jax_network import JaxNetwork
from neuroanp.training.jax_noise import Source, draw
from support.training import trainer

jax = pytest.importorskip("jax", reason="jax is not installed")

COPYING = CopyingMemory(alphabet=4, length=2, delay=3, evaluation_trials=8)
PATTERN = PatternGeneration(duration=120 * ms, ticks=4)
WINDOWS = MackeyGlass(steps=900, window=20, washout=5, carry=True)
RATE = nap.Recipe(
    model=TanhRNN(hidden=12), rule=NodePerturbation(sigma=0.01, readout="delta"), lanes=4, updates=20
)


class SignOfNoise(NodePerturbation):
    """A rule of a user, which knows nothing of JAX."""

    def post(self, layer, record, modulator):
        return super().post(layer._replace(noise=abs(layer.noise) * layer.noise), record, modulator)


class InNumPy(NodePerturbation):
    """A rule that can't be traced."""

    name = "in-numpy"

    def post(self, layer, record, modulator):
        return super().post(layer, record, np.maximum.accumulate(modulator))


ONE_PASS = Modulator(discount=0.98, baseline=OtherLanes(copies=2))
CELLS = RATE.replace(
    model=LIF(hidden=15, input_gain=3.0), decorrelation=None, modulator=ONE_PASS,
    rule=NodePerturbation(sigma=0.3, hold=10, readout="delta"),
)  # fmt: skip
ADAPTING = CELLS.replace(model=ALIF(hidden=15, input_gain=3.0))
QUICK = {
    "tanh": (COPYING, RATE),
    "lif": (PATTERN, CELLS),
}
MODELS = {
    "leaky-tanh": (COPYING, RATE.replace(model=LeakyTanhRNN(hidden=12))),
    "inputs to the readout": (COPYING, RATE.replace(model=TanhRNN(hidden=12, skip=True, skip_steps=3))),
    "alif": (PATTERN, ADAPTING),
    "conductance-lif": (PATTERN, CELLS.replace(model=ConductanceLIF(hidden=15, input_gain=3.0))),
    "ei": (PATTERN, CELLS.replace(model=EI(hidden=15, input_gain=3.0))),
    "balanced-lif": (PATTERN, CELLS.replace(model=BalancedLIF(hidden=15))),
    "current-lif": (PATTERN, CELLS.replace(model=CurrentLIF(hidden=15, input_gain=3.0))),
    "izhikevich": (
        PATTERN,
        CELLS.replace(model=Izhikevich(hidden=15), rule=CELLS.rule.replace(sigma=1.0)),
    ),
}  # fmt: skip
RULES = {
    "published": (
        COPYING,
        RATE.replace(
            rule=ActivityPerturbation(mirrored=False), optimizer=SGD(lr=0.1),
            modulator=Modulator(discount=0.0, scope="global"),
        ),
    ),
    "noise of two values on the readout": (
        COPYING, RATE.replace(rule=NodePerturbation(sigma=0.01, readout_sigma=0.1, distribution="sign"))
    ),
    "weights": (COPYING, RATE.replace(rule=WeightPerturbation(sigma=0.01))),
    "spsa": (COPYING, RATE.replace(rule=SPSA(sigma=0.01))),
    "population": (COPYING, RATE.replace(rule=EvolutionStrategies(sigma=0.01, mirrored=False))),
    "wandering": (COPYING, RATE.replace(rule=OrnsteinUhlenbeck(sigma=0.01))),
    "response": (COPYING, RATE.replace(rule=ResponsePerturbation(lags=3))),
    "hebbian": (
        COPYING,
        RATE.replace(
            rule=DelayedHebbian(sigma=0.1, probability=0.1), modulator=ONE_PASS, optimizer=SGD(lr=0.01)
        ),
    ),
    "random feedback": (COPYING, RATE.replace(rule=RandomFeedback())),
    "readout alone": (COPYING, RATE.replace(rule=ReadoutOnly(), optimizer=SGD(lr=0.1, momentum=0.5))),
    "own": (COPYING, RATE.replace(rule=SignOfNoise(sigma=0.01))),
    "windows, running mean": (
        WINDOWS, RATE.replace(modulator=Modulator(baseline=RunningMean()), optimizer=SGD(lr=1e-3))
    ),
    "stdp": (PATTERN, CELLS.replace(rule=RewardSTDP(sigma=0.3, hold=10))),
    "e-prop": (PATTERN, ADAPTING.replace(rule=EProp())),
    "e-prop, equal updates": (PATTERN, ADAPTING.replace(rule=EProp(feedback="kolen-pollack"))),
    "escape": (PATTERN, ADAPTING.replace(rule=EscapeScore(readout="perturb"))),
    "rates": (PATTERN, CELLS.replace(rates=nap.rules.rate_penalty.RatePenalty())),
    "signs, bounds": (
        PATTERN,
        CELLS.replace(
            optimizer=SignSGD(lr=1e-2, momentum=0.5), bounds=WeightBounds(low=-0.2, high=0.2)
        ),
    ),
    "shifts, clipped": (
        COPYING, RATE.replace(optimizer=ShiftSGD(lr=0.1, anneal="cosine"), clip=Clip(norm=0.01))
    ),
}  # fmt: skip


def trained(name, cases, **changes):
    task, recipe = cases[name]
    made = trainer(task, recipe, **changes)
    losses = [step.loss for step in made]
    if name in QUICK:
        losses.append(made.result().result["test_loss"])
    return losses, made.state.weights | made.state.decorrelation


def agree(name, cases, **changes):
    ours, theirs = trained(name, cases, engine="jax", **changes), trained(name, cases)
    assert np.ptp(theirs[0]) > 0
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)
    for matrix, values in theirs[1].items():
        np.testing.assert_allclose(ours[1][matrix], values, rtol=0, atol=1e-9, err_msg=matrix)


@pytest.mark.parametrize("name", QUICK)
def test_weights_after_twenty_updates_are_those_of_the_compiled_engine(name):
    agree(name, QUICK)


@pytest.mark.slow  # 1 minute
@pytest.mark.parametrize("name", MODELS)
def test_other_models_learn_the_same(name):
    agree(name, MODELS)


@pytest.mark.slow  # 2 minutes
@pytest.mark.parametrize("name", RULES)
def test_other_rules_and_stages_learn_the_same(name):
    agree(name, RULES)


def test_a_trial_that_is_run_twice_in_blocks_gives_the_same_update():
    agree("tanh", QUICK, jax=nap.Jax(memory="replay", steps=4))


@pytest.mark.slow  # half a minute
@pytest.mark.parametrize("blocks", [1, 2])
def test_rules_by_steps_learn_the_same_in_blocks(blocks):
    for name, (_, recipe) in (QUICK | RULES).items():
        whole = recipe.rates is not None or isinstance(recipe.rule, RewardSTDP)
        together = name in ("published", "population")
        if recipe.rule.by_steps and not whole and not (blocks > 1 and together):
            agree(name, QUICK | RULES, jax=nap.Jax(memory="replay", steps=10, lane_blocks=blocks))


SKIPPING = RATE.replace(model=TanhRNN(hidden=9, skip=True, skip_steps=2), decorrelation=None)


@pytest.mark.parametrize(
    ("task", "recipe"),
    [(COPYING, RATE), pytest.param(WINDOWS, SKIPPING, marks=pytest.mark.slow)],  # 10 seconds
)
def test_a_resumed_training_goes_on_to_the_bit(task, recipe, tmp_path):
    made = nap.Trainer(
        task, recipe.replace(updates=4), seed=1, engine="jax", tests=2, jax=nap.Jax(memory="keep")
    )
    for _ in range(2):
        made.step()
    made.save(tmp_path / "run")
    run, resumed = made.run(progress=False), nap.resume(tmp_path / "run", progress=False)
    assert resumed.result["engine"] == "jax" and resumed.config["jax"]["memory"] == "keep"
    for name, values in run.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], values)
    for name in ("loss", "test_loss", "test_correlation"):
        np.testing.assert_array_equal(resumed.history[name], run.history[name])


@pytest.mark.parametrize(
    ("kind", "dtype", "error"),
    [
        ("gaussian", "float64", 4e-15), ("sign", "float64", 0), ("gaussian", "float32", 1e-6),
        pytest.param("rare", "float64", 4e-15, marks=pytest.mark.slow),
        pytest.param("logistic", "float64", 4e-15, marks=pytest.mark.slow),
        pytest.param("logistic", "float32", 1e-6, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_noise_is_that_of_the_other_engines(kind, dtype, error):
    source, steps, lanes, units = Source(kind, stream=3, chance=0.3), range(5, 8), 3, 300
    with jax.enable_x64(True):
        places = [jax.numpy.array(list(numbers), np.uint64) for numbers in (steps, range(lanes))]
        drawing = jax.jit(lambda seed, trial: draw(source, seed, trial, *places, units, dtype))
        drawn = drawing(np.uint64(2**64 - 5), np.uint64(7))
    expected = noise.draw(kind, 2**64 - 5, 3, 7, steps, lanes, units, "float64", 0.3)
    assert drawn.dtype == dtype
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=error)


@pytest.mark.slow  # 5 seconds
def test_a_trial_has_the_same_spikes_and_records():
    model, passes = ALIF(hidden=20, input_gain=4.0), ("clean", "plus", "minus")
    perturbation = Perturbation(
        target="thresholds", sigma=0.2, distribution="logistic", readout=True,
        recorded=("trace", "potential", "adaptation"),
    )  # fmt: skip
    settings = {"lanes": 3, "passes": passes, "perturbation": perturbation, "seed": 4}
    theirs = Network(model, PATTERN.n_in, PATTERN.n_out, PATTERN.dt, **settings)
    ours = JaxNetwork(model, PATTERN.n_in, PATTERN.n_out, PATTERN.dt, **settings)
    weights = model.start_weights(np.random.default_rng(1), theirs.n_in, theirs.n_out)
    trial = PATTERN.trial(np.random.default_rng(2), 3)
    for network in (ours, theirs):
        network.load(weights)
    one, other = ours.run(trial, 5), theirs.run(trial, 5)
    np.testing.assert_array_equal(one.traces, other.traces)
    assert other.traces.sum() > 50 and (other.traces[:, 0] != other.traces[:, 1]).any()
    for name in ("loss", "outputs", "noise", "noise_out", "trace", "inputs", "targets"):
        values = getattr(other, name)
        np.testing.assert_allclose(getattr(one, name), values, rtol=0, atol=1e-12, err_msg=name)
    for name, values in other.hidden.items():
        np.testing.assert_allclose(one.hidden[name], values, rtol=0, atol=1e-12, err_msg=name)


REFUSED = {
    "Network.plant": (CartPole(episodes=4), CartPole(episodes=4).recipe("best").replace(lanes=4)),
    "LIF.density": (PATTERN, CELLS.replace(model=LIF(hidden=15, density=0.5))),
    "Perturbation.hold_steps": (COPYING, RATE.replace(rule=WeightPerturbation(hold="step"))),
    "Recipe.substrate": (COPYING, RATE.replace(substrate=Analog())),
    "Recipe.rule: .*in-numpy": (COPYING, RATE.replace(rule=InNumPy())),
    "Modulator.baseline: .*input-critic": (
        COPYING, RATE.replace(modulator=Modulator(baseline=InputCritic()))
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
def test_what_jax_has_not_is_refused_by_name(reason):
    with pytest.raises(InvalidValue, match=reason):
        trainer(*REFUSED[reason], engine="jax")


def test_options_that_can_not_be_kept_are_refused():
    with pytest.raises(InvalidValue, match=r"Jax\.memory: expected keep, as response-perturbation"):
        trainer(*RULES["response"], engine="jax", jax=nap.Jax(memory="replay"))
    with pytest.raises(InvalidValue, match=r"Jax\.lane_blocks: expected a divisor of 4 lanes, got 3"):
        trainer(COPYING, RATE, engine="jax", jax=nap.Jax(memory="replay", lane_blocks=3))
    with pytest.raises(InvalidValue, match=r"Trainer\.build: expected none for engine jax"):
        nap.Trainer(COPYING, RATE, engine="jax", build=Network)
    with pytest.raises(InvalidValue, match=r"train\.jax: expected none for engine compiled"):
        nap.train(task=COPYING, engine="compiled", jax=nap.Jax(memory="replay"))


@pytest.mark.parametrize("tests", [pytest.param(0, marks=pytest.mark.slow), 20])  # 3 seconds
def test_a_loss_that_grows_leaves_the_last_good_weights(tests):
    task, recipe = COPYING, RATE.replace(optimizer=SGD(lr=3.0), decorrelation=None)
    runs = []
    for engine in ("compiled", "jax"):
        with pytest.raises(Diverged) as caught:
            trainer(task, recipe, engine=engine, tests=tests).run(progress=False)
        runs.append((str(caught.value), caught.value.run))
    (one, theirs), (other, ours) = runs
    assert one == other and len(theirs.history["loss"]) == len(ours.history["loss"]) > 1
    for name, values in theirs.weights.items():
        np.testing.assert_allclose(ours.weights[name], values, rtol=1e-9)


SPREAD = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import jax
from engines.test_jax import QUICK, trained
losses, weights = trained("tanh", QUICK, engine="jax")
print(json.dumps([len(jax.devices()), losses, {name: w.tolist() for name, w in weights.items()}]))
"""


@pytest.mark.slow  # 10 seconds
def test_lanes_spread_over_several_devices_learn_the_same():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    words = [sys.executable, "-c", SPREAD, os.path.dirname(os.path.dirname(__file__))]
    done = subprocess.run(words, env=os.environ | flags, capture_output=True, text=True, check=True)
    devices, losses, weights = json.loads(done.stdout.splitlines()[-1])
    assert devices == 4
    alone = trained("tanh", QUICK, engine="jax")
    np.testing.assert_allclose(losses, alone[0], rtol=1e-12)
    for name, values in alone[1].items():
        np.testing.assert_allclose(weights[name], values, rtol=0, atol=1e-11)
