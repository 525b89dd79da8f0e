"""Learning attached to a user's own Brian2 network: the update of ours, what goes on, what is refused."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms, nS, pA

import neuroanp as nap
from neuroanp.errors import DataError, Diverged
from neuroanp.learner import Learner, Workers
from neuroanp.models import LIF, TanhRNN
from neuroanp.optim import SGD, Adam, Chain
from neuroanp.reward import RunningMean
from neuroanp.rules import ActivityPerturbation, NodePerturbation
from neuroanp.training.seeds import Seeds
from support.own_networks import circuit, learner, lif, tanh

pytestmark = pytest.mark.usefixtures("own_scope")

STEPS = 40


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("neuroanp", "runtime")]  # seconds each


@pytest.fixture(params=["neuroanp_runtime", *SLOW])
def either(request, own_scope):
    """Both engines of our device, and Brian2's own runtime, each in force."""
    b2.prefs.codegen.target = "numpy"
    b2.set_device(request.param)
    b2.defaultclock.dt = 1 * ms
    return request.param


def ours(model, rule, modulator, trial, seed, index):
    """Weights, wiring, and the update of our own network and rule."""
    n_in, n_out = trial.inputs.shape[2], trial.targets.shape[2]
    network = nap.Network(
        model, n_in, n_out, 1 * ms, lanes=1, passes=modulator.passes(rule.passes),
        perturbation=rule.perturbation, seed=Seeds(seed).noise, engine="runtime",
    )  # fmt: skip
    weights = model.initial_weights(np.random.default_rng(1), n_in, n_out)
    network.load(weights)
    record = network.run(trial, index)
    return weights, network.wiring, rule(record, modulator(record, {}), {}), record


def assert_equal_updates(estimate, update, names):
    for key, name in enumerate(names):
        expected = update[name].ravel()
        assert np.abs(expected).max() > 0
        error = np.abs(estimate.gradient[str(key)] - expected).max() / np.abs(expected).max()
        assert error < 1e-9, name


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"density": 0.4, "delay": 5 * ms}, {"hold": 3}),
        pytest.param({}, {"mirrored": False, "distribution": "sign"}, marks=pytest.mark.slow),
    ],
)
def test_update_of_spiking_cells_equals_that_of_our_network(either, options, rule):
    rng = np.random.default_rng(0)
    model = LIF(
        hidden=20, bias=False, refractory_period=0.1 * ms, recurrent_gain=1.0, input_gain=2.0, **options
    )
    trial = nap.Trial(1 + rng.normal(size=(STEPS, 1, 3)), rng.normal(size=(STEPS, 1, 2)))
    modulator = nap.Modulator(discount=0.9)
    chosen = NodePerturbation(sigma=0.3, readout="delta", **rule)
    weights, wiring, update, record = ours(model, chosen, modulator, trial, seed=5, index=7)
    assert record.trace.sum() > 20
    net, cells, synapses, readout, names = lif(weights, wiring, trial, model)
    learner = Learner(
        net, duration=STEPS * ms, perturb=[(cells, "noise", 0.3)], learn=[(s, "w", 1) for s in synapses],
        loss="(y - target(t, i))**2", readout=readout, rule=NodePerturbation(readout="delta", **rule),
        modulator=modulator, seed=5, namespace=names,
    )  # fmt: skip
    assert_equal_updates(learner.estimate(7, learner.state.weights, {}), update, ("W_in", "W_rec", "W_out"))


def test_update_of_rate_units_equals_that_of_our_network(either):
    rng = np.random.default_rng(0)
    trial = nap.Trial(rng.normal(size=(STEPS, 1, 3)), rng.normal(size=(STEPS, 1, 1)))
    modulator = nap.Modulator(discount=0.9)
    rule = NodePerturbation(sigma=0.1)
    weights, _, update, record = ours(
        TanhRNN(hidden=12, bias=False, readout_gain=1.0), rule, modulator, trial, seed=5, index=7
    )
    net, cells, synapses, readout, names = tanh(weights, trial)
    learner = Learner(
        net, duration=STEPS * ms, perturb=[(cells, "noise", 0.1), (readout, "noise", 0.1)],
        learn=[(s, "w", 2) for s in synapses], loss="(y - target(t, i))**2", readout=readout,
        modulator=modulator, rule=NodePerturbation(), seed=5, namespace=names,
    )  # fmt: skip
    estimate = learner.estimate(7, learner.state.weights, {})
    np.testing.assert_allclose(estimate.loss[..., 0], record.loss[..., 0], atol=1e-12)
    halved = {name: 2 * values for name, values in update.items()}  # a scale of 2
    assert_equal_updates(estimate, halved, ("W_in", "W_rec", "W_out"))


def test_single_noisy_pass_compares_with_the_trials_before(either):
    rng = np.random.default_rng(0)
    model = LIF(hidden=10, bias=False, refractory_period=0.1 * ms, input_gain=2.0)
    trial = nap.Trial(1 + rng.normal(size=(20, 1, 3)), rng.normal(size=(20, 1, 2)))
    modulator = nap.Modulator(baseline=RunningMean(memory=0.5))
    weights, wiring, *_ = ours(model, NodePerturbation(sigma=0.3), modulator, trial, seed=5, index=0)
    network = nap.Network(
        model, 3, 2, 1 * ms, lanes=1, passes=("plus",), seed=Seeds(5).noise, engine="runtime",
        perturbation=NodePerturbation(sigma=0.3, readout="fixed").perturbation,
    )  # fmt: skip
    network.load(weights)
    net, cells, synapses, readout, names = lif(weights, wiring, trial, model)
    learner = Learner(
        net, duration=20 * ms, perturb=[(cells, "noise", 0.3)], learn=[(synapses[1], "w", 1)],
        loss="(y - target(t, i))**2", readout=readout, rule=NodePerturbation(), modulator=modulator,
        optimizer=SGD(lr=1e-3, anneal="none"), seed=5, namespace=names,
    )  # fmt: skip
    state, rule = {}, NodePerturbation(sigma=0.3, readout="fixed")
    for index in range(3):
        record = network.run(trial, index)
        loss = learner.step()
        assert loss == pytest.approx(record.mean_loss, rel=1e-9)
        change = rule(record, modulator(record, state), {})["W_rec"]
        weights = weights | {"W_rec": weights["W_rec"] - 1e-3 * change}
        network.load(weights)
    np.testing.assert_allclose(learner.learned[0].weights, weights["W_rec"].ravel(), rtol=1e-9)
    assert np.abs(change).max() > 0


@pytest.fixture(params=["neuroanp", SLOW[1]])
def many_kinds(request, own_scope):
    """The circuit of many kinds of synapses, on either device."""
    b2.prefs.codegen.target = "numpy"
    b2.set_device(request.param)
    b2.defaultclock.dt = 0.5 * ms
    return circuit()


@pytest.fixture
def prepared(own_scope):
    """The same, on Brian2's runtime prepared once, which starts quickest."""
    b2.set_device("neuroanp_runtime")
    b2.defaultclock.dt = 0.5 * ms
    return circuit()


def test_credit_is_that_of_the_spikes_that_arrived(many_kinds):
    """Delays of each synapse, several a pair, and the resource of a tiring one, against plain loops."""
    c = many_kinds
    fired = b2.SpikeMonitor(c.inputs)
    c.net.add(fired)
    modulator = nap.Modulator(baseline=RunningMean())
    own = learner(c, modulator=modulator)
    state = {"baseline": np.zeros((80, 1))}
    estimate = own.estimate(2, own.state.weights, state)
    noise = own._runner.perturbed[0].noise.array("buffer")[: 80 * 12].reshape(80, 12)
    returns = np.cumsum(estimate.loss[::-1, 0, 0])[::-1]
    post = np.vstack([returns[:, None] * noise / (2e-9) ** 2, np.zeros((1, 12))])
    monitor, synapses = (c.spikes, c.excite)
    steps = {name: np.round(m.t / (0.5 * ms)).astype(int) for name, m in (("in", fired), ("cells", monitor))}
    tired, excited = np.zeros(len(c.tiring)), np.zeros(len(synapses))
    for k in range(len(synapses)):
        for step in steps["cells"][np.asarray(monitor.i) == synapses.i[k]]:
            excited[k] += post[step + 1, synapses.j[k]] * 1e-9
    delays = np.round(c.tiring.delay / (0.5 * ms)).astype(int)
    for k in range(len(c.tiring)):
        x, last = 1.0, 0
        for step in steps["in"][np.asarray(fired.i) == c.tiring.i[k]] + delays[k]:
            x = 1 + (x - 1) * np.exp(-(step - last) * 0.5 / 50)
            r, last = 0.5 * x, step
            x -= r
            tired[k] += post[step + 1, c.tiring.j[k]] * r * 1e-9 if step < 80 else 0
    assert len(monitor.t) > 20 and len(fired.t) > 10 and delays.max() > 5
    np.testing.assert_allclose(estimate.gradient["0"], tired, rtol=1e-9, atol=1e-9 * np.abs(tired).max())
    np.testing.assert_allclose(estimate.gradient["1"], excited, rtol=1e-9, atol=1e-9 * np.abs(excited).max())


def test_plasticity_of_the_network_goes_on_beside_the_learning(prepared):
    c = prepared
    own = learner(c, optimizer=SGD(lr=0.0), trials=2)
    start, resting = np.array(c.stdp.w), np.array(c.excite.w)
    loss = own.evaluate(0)
    assert (np.array(c.stdp.w) == start).all()
    own.step()
    first = np.array(c.stdp.w)
    own.step()
    second = np.array(c.stdp.w)
    assert (first > start).any() and (second > first).any()
    assert (np.array(c.excite.w) == resting).all()
    assert own.evaluate(0) != loss  # weights of STDP are other ones now
    assert np.array(c.stdp.w).tolist() == second.tolist()


def test_each_pass_starts_from_the_same_state(prepared):
    c = prepared
    c.net.run(7 * ms)  # spikes are under way
    own = learner(c, perturb=[(c.cells, "ge", 2 * nS), (c.cells, "current", 5 * pA)])
    assert own.evaluate(5) == own.evaluate(5) != own.evaluate(6)
    spikes = sorted(zip(c.spikes.t / ms, c.spikes.i, strict=True))
    own.evaluate(5)
    own.evaluate(6)
    assert sorted(zip(c.spikes.t / ms, c.spikes.i, strict=True)) == spikes
    assert c.output.y.shape == (2, 80)  # one pass, however many there were
    potential, current = np.array(c.cells.v), np.array(c.cells.current)
    own.step()
    assert (np.array(c.cells.current) == current).all()
    c.net.run(60 * ms)  # longer than a trial, without noise
    assert (np.array(c.cells.v) != potential).any()


def test_each_trial_is_shown_its_input(either):
    """A TimedArray, a parameter and generated spikes, set before each pass."""
    shown = b2.TimedArray(np.zeros(20), dt=1 * ms)
    generator = b2.SpikeGeneratorGroup(2, [], [] * ms)
    cells = b2.NeuronGroup(2, "dv/dt = (shown(t) + level - v) / (5*ms) : 1\nlevel : 1", method="euler")
    synapses = b2.Synapses(generator, cells, "w : 1", on_pre="v += w")
    synapses.connect(j="i")
    synapses.w = 1
    net = b2.Network(generator, cells, synapses)
    seen = []

    def before(trial):
        seen.append(trial)
        shown.values[:] = trial == 1
        cells.level = trial == 2
        generator.set_spikes([0, 1], [trial, trial + 5] * ms)

    own = Learner(
        net, duration=20 * ms, perturb=[(cells, "v", 0.1)], learn=[(synapses, "w", 1)], loss="v",
        readout=cells, before=before, namespace={"shown": shown},
    )  # fmt: skip
    losses = [own.evaluate(trial) for trial in (0, 1, 2, 3, 0, 1, 2, 3)]
    assert losses[:4] == losses[4:] and len(set(losses)) == 4
    own.step()
    assert seen[-2:] == [0, 0]
    decay = 0.8 ** np.arange(20)
    spikes = np.zeros(20)
    spikes[[0, 5]] = 0.5
    np.testing.assert_allclose(losses[0], np.mean(np.convolve(spikes, decay)[:20]), rtol=1e-12)


def test_function_of_recordings_gives_the_update_of_the_expression(prepared):
    c = prepared
    losses = ("(y - 1)**2", c.readout), (lambda trial: ((c.output.y - 1) ** 2).mean(axis=0), None)
    learners = [
        learner(c, learn=[(c.excite, "w", 1)], loss=loss, readout=readout) for loss, readout in losses
    ]
    by_step, whole = [own.estimate(1, own.state.weights, {}) for own in learners]
    assert np.abs(by_step.gradient["0"]).max() > 0
    np.testing.assert_allclose(whole.gradient["0"], by_step.gradient["0"], rtol=1e-9)


def test_signs_are_kept_if_asked(prepared):
    c = prepared
    own = learner(c, optimizer=Adam(lr=30.0), keep_signs=[c.excite])
    own.step()
    assert (np.array(c.excite.w) >= 0).all() and (np.array(c.excite.w) == 0).any()
    assert (np.array(c.tiring.w) < 0).any()


def test_learner_goes_on_from_its_state_to_the_bit(prepared):
    c = prepared
    own = learner(c, modulator=nap.Modulator(baseline=RunningMean()), optimizer=Chain(Adam(lr=0.1)))
    own.step()
    stored = own.get_state()
    own.step()
    own.step()
    ended = own.get_state()
    own.set_state(stored)
    own.step()
    own.step()
    assert ended.keys() == own.get_state().keys()
    assert all((values == own.get_state()[name]).all() for name, values in ended.items() if "sec" not in name)


def test_a_learner_goes_on_from_its_file(prepared, tmp_path):
    own = learner(prepared, optimizer=Chain(Adam(lr=0.1)))
    own.step()
    own.save(tmp_path / "learner.npz")
    own.step()
    ended = own.get_state()
    own.restore(tmp_path / "learner.npz")
    own.step()
    assert all((values == own.get_state()[name]).all() for name, values in ended.items() if "sec" not in name)
    prepared.cells.v += 1 * b2.mV
    other = learner(prepared, optimizer=Chain(Adam(lr=0.1)))
    with pytest.raises(DataError, match="expected the state of this network"):
        other.restore(tmp_path / "learner.npz")


def test_divergence_leaves_the_weights(prepared):
    c = prepared
    own = learner(c, optimizer=SGD(lr=1e308))
    before = np.array(c.excite.w)
    with pytest.raises(Diverged, match=r"update 1: .* no longer finite"), np.errstate(over="ignore"):
        own.step()
    assert (np.array(c.excite.w) == before).all()


def test_activity_rule_reads_the_perturbed_variable(prepared):
    own = learner(prepared, rule=ActivityPerturbation(readout="delta"))
    own.step()
    assert all(np.abs(state["m.0"]).max() > 0 for state in own.state.optimizer if "m.0" in state)


def build():
    """Learner of the circuit, for workers."""
    b2.start_scope()
    b2.set_device("neuroanp_runtime")
    b2.defaultclock.dt = 0.5 * ms
    return learner(circuit(), trials=3, modulator=nap.Modulator(baseline=RunningMean()))


@pytest.mark.slow  # 20 s
def test_workers_give_the_same_numbers(own_scope):
    results = []
    for count in (0, 1, 2):
        own = build()
        if count:
            with Workers(build, count) as workers:
                losses = [own.step(workers) for _ in range(3)]
        else:
            losses = [own.step() for _ in range(3)]
        results.append((losses, np.array(own.learned[0].weights)))
    for losses, weights in results[1:]:
        assert losses == results[0][0]
        assert (weights == results[0][1]).all()
