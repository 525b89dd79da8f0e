"""An analog device: what its cells and synapses are, and that a training is of it, to its files."""

import json
import math

import numpy as np
import pytest
from brian2 import ms, mV

import neuroanp as nap
from neuroanp.cli.main import main
from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, LIF, LeakyTanhRNN, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.rules import NodePerturbation, WeightPerturbation
from neuroanp.substrate import Analog
from neuroanp.tasks import PatternGeneration
from support.training import trainer

TASK = PatternGeneration(duration=30 * ms, ticks=3)
IDEAL = {"mismatch": 0.0, "bits": None, "range": math.inf}
RECIPE = TASK.recipe("node").replace(model=LIF(hidden=12, input_gain=2.0), lanes=4, updates=6)
ROUGH = Analog(device=4, bits=3, noise=0.05, write_noise=0.02, stuck=0.1, stuck_at="any")


def deployed(model, substrate, n_in=3, n_out=1):
    return substrate.deployed(model, n_in, n_out, 1 * ms)


def realised(substrate, model=LIF(hidden=50), seed=0):  # noqa: B008
    weights = model.start_weights(np.random.default_rng(seed), 3 + model.bias, 1)
    return weights, deployed(model, substrate).realised(weights)


def network(model, lanes=1, passes=("clean",), engine="runtime"):
    made = Network(model, 3, 1, 1 * ms, lanes=lanes, passes=passes, engine=engine, seed=2)
    weights = model.start_weights(np.random.default_rng(0), 3 + model.bias, 1)
    made.load(weights)
    return made


@pytest.mark.parametrize(
    "model",
    [LIF(hidden=12), pytest.param(ALIF(hidden=12), marks=pytest.mark.slow), LeakyTanhRNN(hidden=12)],
    ids=lambda model: model.name,
)
def test_a_device_without_faults_is_none(model):
    changes = {"model": model, "rule": NodePerturbation(sigma=0.1), "engine": "runtime"}
    here = trainer(TASK, RECIPE, **changes).run(progress=False)
    there = trainer(TASK, RECIPE, substrate=Analog(**IDEAL), **changes).run(progress=False)
    for name, w in here.weights.items():
        np.testing.assert_allclose(there.weights[name], w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("bits", [2, 4])
def test_weights_of_a_few_bits_are_the_nearest_levels_of_their_range(bits):
    first, found = realised(Analog(mismatch=0, bits=bits, range=2.0), seed=1)
    start = LIF(hidden=50).start_weights(Analog().rng("start"), 4, 1)
    for name, values in found.items():
        largest = 2.0 * np.sqrt((start[name] ** 2).mean())
        levels = np.linspace(-largest, largest, 2**bits - 1)
        nearest = levels[np.abs(first[name][..., None] - levels).argmin(axis=-1)]
        np.testing.assert_allclose(values, nearest, atol=1e-12)


def test_each_synapse_has_a_factor_that_stays():
    substrate = Analog(**IDEAL | {"mismatch": 0.3, "device": 5})
    first, found = realised(substrate)
    factors = found["W_rec"] / first["W_rec"]
    assert factors.min() > 0 and factors.mean() == pytest.approx(1, abs=0.03)
    assert factors.std() == pytest.approx(0.3, abs=0.03)
    later, changed = realised(substrate, seed=8)
    np.testing.assert_allclose(changed["W_rec"] / later["W_rec"], factors)
    _, another = realised(substrate.replace(device=6))
    assert abs(np.corrcoef(factors.ravel(), (another["W_rec"] / first["W_rec"]).ravel())[0, 1]) < 0.1
    _, exact = realised(substrate.replace(weight_mismatch=0.0))
    np.testing.assert_array_equal(exact["W_rec"], first["W_rec"])


def test_stuck_synapses_keep_what_they_hold_and_writes_are_noisy():
    first, found = realised(Analog(**IDEAL | {"stuck": 0.2}))
    stuck = found["W_rec"] == 0
    assert stuck.mean() == pytest.approx(0.2, abs=0.03)
    np.testing.assert_array_equal(found["W_rec"][~stuck], first["W_rec"][~stuck])
    held = [realised(ROUGH.replace(stuck=1.0), seed=seed)[1]["W_rec"] for seed in (0, 1)]
    np.testing.assert_array_equal(*held)
    assert held[0].std() > 0
    noisy = Analog(**IDEAL | {"write_noise": 0.1, "range": 3.0})
    error = realised(noisy)[1]["W_rec"] - realised(noisy.replace(write_noise=0.0))[1]["W_rec"]
    assert error.std() == pytest.approx(0.1 * 3.0 * 0.5 / np.sqrt(50), rel=0.05)
    np.testing.assert_array_equal(realised(noisy)[1]["W_rec"], realised(noisy)[1]["W_rec"])


class Millivolts(LIF):
    name = "millivolts"
    equations = LIF.equations.replace(
        "(drive + noise - v) / tau : 1", "((drive + noise) * mV - v - rest) / tau : volt"
    )
    equations += "\nrest : volt (shared)"
    threshold = "v > rest + 10 * mV"
    reset = "v = rest; spiked = 1"

    def parameters(self):
        return super().parameters() | {"rest": 0 * mV}

    def initial_state(self):
        return {}


@pytest.mark.parametrize(
    ("model", "theta"), [(LIF(hidden=40, v_spread=0.0), 1.0), (Millivolts(hidden=40), 0.01)]
)
def test_each_cell_has_a_threshold_and_times_of_its_own(model, theta):
    """First spikes under a current, by the solution of the equation."""
    on_chip = deployed(model, Analog(**IDEAL | {"mismatch": 0.3, "weight_mismatch": 0.0}))
    values = on_chip.parameters()
    assert np.std(values["tau"] / model.tau) == pytest.approx(0.3, abs=0.1)
    assert np.std(np.asarray(values["threshold_shift"]) / theta) == pytest.approx(0.3, abs=0.1)
    assert len({*np.asarray(values["refractory_period"])}) == 40
    made, current = network(on_chip), 1.5 if theta == 1.0 else 15.0
    weights = {name: np.zeros_like(w) for name, w in made.weights.items()}
    weights["W_in"][:, -1] = current
    made.load(weights)
    steps = 60
    spikes = made.run(Trial(np.zeros((steps, 1, 3)), np.zeros((steps, 1, 1)))).trace[1:, 0] > 0
    time = np.arange(1, steps + 1)[:, None]
    v = theta * 1.5 * (1 - np.exp(-time / np.asarray(values["tau"] / ms)))
    over = v > theta + np.asarray(values["threshold_shift"])
    first = np.where(over.any(axis=0), over.argmax(axis=0), steps)
    np.testing.assert_array_equal(np.where(spikes.any(axis=0), spikes.argmax(axis=0), steps), first)
    assert len(set(first)) > 10


def test_potentials_are_noisy_in_each_pass_and_lane_alike_on_both_engines():
    model = LIF(hidden=50, v_spread=0.0, bias_mean=-5.0, input_gain=0.0)
    on_chip = deployed(model, Analog(**IDEAL | {"noise": 0.1}))
    records = []
    for engine in ("runtime", "compiled"):
        made = Network(on_chip, 3, 1, 1 * ms, lanes=3, passes=("plus", "minus"), engine=engine, seed=2,
                       perturbation=nap.Perturbation(recorded=("potential",)))  # fmt: skip
        made.load(model.start_weights(np.random.default_rng(0), 4, 1))
        trial = Trial(np.zeros((300, 3, 3)), np.zeros((300, 3, 1)))
        records += [made.run(trial, index).hidden["potential"].copy() for index in (7, 7, 8)]
    np.testing.assert_array_equal(records[0], records[1])
    np.testing.assert_allclose(records[0], records[3], atol=1e-9)
    v = records[0][100:] - records[0][100:].mean(axis=(0, 1, 2))
    assert v.std() == pytest.approx(0.1 * math.exp(-1 / 20) / math.sqrt(1 - math.exp(-2 / 20)), rel=0.1)
    courses, later = v.reshape(len(v), 6, 50).swapaxes(0, 1).reshape(6, -1), records[2][100:]
    assert np.abs(np.corrcoef(courses) - np.eye(6)).max() < 0.2
    assert abs(np.corrcoef(v.ravel(), later.ravel())[0, 1]) < 0.1


def test_rules_know_the_ideal_model():
    model = LIF(hidden=6)
    on_chip, rates = deployed(model, Analog()), deployed(LeakyTanhRNN(hidden=6), Analog())
    assert vars(on_chip.cells(1 * ms)) == vars(model.cells(1 * ms))
    assert on_chip.dynamics(1 * ms).constants.keys() == model.dynamics(1 * ms).constants.keys()
    np.testing.assert_array_equal(rates.rates(1 * ms).memory, LeakyTanhRNN(hidden=6).rates(1 * ms).memory)


def test_a_run_on_a_device_is_judged_on_it_and_says_so(tmp_path):
    run = trainer(TASK, RECIPE, substrate=ROUGH.replace(noise=0.0), engine="runtime").run(progress=False)
    assert str(run).startswith("pattern-generation on Analog: ")
    run.save(tmp_path / "run")
    again = nap.load(tmp_path / "run")
    assert again.recipe.substrate == ROUGH.replace(noise=0.0) and str(again) == str(run)
    for each in (run, again):
        trial = TASK.evaluation(None)
        loss = ((each.predict(trial.inputs) - trial.targets) ** 2).mean()
        assert loss == pytest.approx(run.result["test_loss"], rel=1e-9)
    ideal = Network(RECIPE.model, TASK.n_in, 1, TASK.dt, lanes=1, engine="runtime")
    ideal.load(run.weights)
    assert ((ideal.run(trial).outputs[:, 0] - trial.targets) ** 2).mean() != pytest.approx(loss, rel=0.01)


def test_a_training_on_a_device_goes_on_to_the_bit():
    whole, begun, resumed = (trainer(TASK, RECIPE, substrate=ROUGH, engine="runtime") for _ in range(3))
    whole.run(progress=False)
    for _ in range(3):
        begun.step()
    resumed.set_state(begun.get_state())
    resumed.run(progress=False)
    for name, w in whole.state.weights.items():
        np.testing.assert_array_equal(resumed.state.weights[name], w)


def test_the_shell_trains_on_a_device(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = (
        "train pattern-generation --task.duration 30ms --task.ticks 3 --model.hidden 8 --lanes 4 --updates 2"
    )
    assert main([*words.split(), "--substrate.bits", "3", "--out", "run", "--engine", "runtime"]) == 0
    assert "pattern-generation on Analog: " in capsys.readouterr().out
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["recipe"]["substrate"]["class"] == "neuroanp.substrate:Analog"
    assert nap.load("run").recipe.substrate == Analog(bits=3)
    assert main(["test", "run"]) == 0
    assert "pattern-generation on Analog: " in capsys.readouterr().out


class Window(LIF):
    name = "window"
    threshold = "v > 1 and v < 5"


def test_what_a_device_can_not_be_is_refused():
    with pytest.raises(InvalidValue, match=r"^Analog\.range: expected a finite number where"):
        Analog(range=math.inf)
    with pytest.raises(InvalidValue, match=r"^Analog\.bits: expected a whole number from 2 to 32"):
        Analog(bits=1)
    with pytest.raises(
        InvalidValue, match=r"^Recipe\.substrate: expected None, as weight-perturbation needs"
    ):
        trainer(TASK, RECIPE, model=TanhRNN(hidden=4), rule=WeightPerturbation(), substrate=Analog(),
                modulator=nap.Modulator())  # fmt: skip
    with pytest.raises(InvalidValue, match=r"^Window\.threshold: expected potential > value"):
        deployed(Window(hidden=3), Analog())
