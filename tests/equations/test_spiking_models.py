"""The spiking models: their equations step by step, both engines, sane rates, signs that stay."""

import dataclasses

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, EI, LIF, ConductanceLIF, CurrentLIF, Izhikevich
from neuroanp.optim import SGD, Adam, KeepSigns
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import NodePerturbation
from support.spiking import LANES, STEPS, network, shown, training

MODELS = {
    "lif": LIF(hidden=20),
    "alif": ALIF(hidden=20),
    "current-lif": CurrentLIF(hidden=20),
    "ei": EI(hidden=20),
    "conductance-lif": ConductanceLIF(hidden=20),
    "izhikevich": Izhikevich(hidden=20),
}
RULE = NodePerturbation(sigma=0.1, hold=10, readout="delta")


def learner(model, engine="compiled", **options):
    scale = 40.0 if isinstance(model, Izhikevich) else 1.0
    settings = {
        "rule": dataclasses.replace(RULE, sigma=0.1 * scale), "lanes": 8, "updates": 60,
        "engine": engine,
        "optimizer": Adam(lr=2e-3 * scale, input_lr=2e-2 * scale, readout_lr=1e-2),
    }  # fmt: skip
    return training(model=model, **settings | options)


@pytest.mark.parametrize("name", MODELS)
def test_cells_fire_at_sane_rates(name):
    made = learner(MODELS[name].replace(hidden=100), "runtime")
    made.network.load(made.state.weights)
    rates = made.network.run(made.trial(0), 0).traces.mean(axis=(0, 1, 2)) * 1000
    assert 5 < rates.mean() < 60
    assert (rates > 0).mean() > 0.3


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if k else ()) for k, name in enumerate(MODELS)]
)
def test_both_engines_learn_the_same(name):
    losses = []
    for engine in ("compiled", "runtime"):
        made = learner(MODELS[name], engine)
        made.network.load(made.state.weights)
        losses.append([made.step().loss for update in range(3)])
    np.testing.assert_allclose(*losses, rtol=1e-9)
    assert len(set(losses[0])) == 3


@pytest.mark.parametrize("name", MODELS)
def test_cells_learn(name):
    result = learner(MODELS[name]).run(progress=False).result
    assert result["score"] < 0.5


def test_conductances_open_and_close_as_written():
    model = ConductanceLIF(hidden=10, recurrent_gain=1.0)
    made = network(model, recorded=("potential", "ge", "gi", "drive"), passes=("clean",))
    record = made.run(shown())
    spikes, W = record.traces[:, 0], record.weights["W_rec"]
    v, ge, gi, drive = (record.hidden[name][:, 0] for name in ("potential", "ge", "gi", "drive"))
    assert spikes.sum() > 20
    for g, part, tau in ((ge, np.maximum(W, 0), 5), (gi, np.maximum(-W, 0), 10)):
        np.testing.assert_allclose(g[1:], np.exp(-1 / tau) * (g[:-1] + spikes[:-1] @ part.T), atol=1e-12)
        assert g.max() > 0.1
    before_e = ge[:-1] + spikes[:-1] @ np.maximum(W, 0).T
    before_i = gi[:-1] + spikes[:-1] @ np.maximum(-W, 0).T
    total = 1 + before_e + before_i
    aim = (before_e * 14 / 3 - before_i * 2 / 3 + drive[1:]) / total
    expected = aim + (v[:-1] - aim) * np.exp(-total / 20)
    free = np.ones(v[1:].shape, bool)
    for late in range(3):
        free[late:] &= spikes[: STEPS - 1 - late] == 0
    np.testing.assert_allclose(v[1:][free], expected[free], atol=1e-10)
    assert free.sum() > 1000


def test_izhikevich_is_the_published_script():
    """MATLAB's ten lines, with spikes seen at the end of a step instead of at the start of the next."""
    model = Izhikevich(hidden=10)
    record = network(model, passes=("clean",), recorded=("potential", "w", "drive")).run(shown())
    p = model.parameters() | model.initial_state()
    v, w = (np.repeat(p[name][None], LANES, axis=0) for name in ("v", "w"))
    s = np.zeros(v.shape)
    assert record.traces.sum() > 20
    for t in range(STEPS):
        s = s * np.exp(-1 / 5)
        current = s + record.hidden["drive"][t, 0]
        for _ in range(2):
            v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - w + current)
        w = w + 0.02 * (0.2 * v - w)
        np.testing.assert_allclose(record.hidden["potential"][t, 0], v, rtol=1e-8, atol=1e-8)
        fired = v > 30
        np.testing.assert_array_equal(record.traces[t, 0], fired)
        s = s + fired @ record.weights["W_rec"].T
        v, w = np.where(fired, p["c"], v), np.where(fired, w + p["d"], w)


def test_dales_law_holds_while_weights_learn():
    made = learner(EI(hidden=20), optimizer=SGD(lr=0.5))
    start = made.state.weights["W_rec"].copy()
    kind = np.sign(start)
    assert (kind[:, :16] == 1).all() and (kind[:, 16:] == -1).all()
    assert start.mean() == pytest.approx(0, abs=0.3 * np.abs(start).mean())
    made.network.load(made.state.weights)
    for _ in range(20):
        made.step()
        assert (kind * made.state.weights["W_rec"] >= 0).all()
    moved = made.state.weights["W_rec"]
    assert (moved == 0).any() and (np.abs(moved) > np.abs(start)).any()
    free = learner(LIF(hidden=20), optimizer=SGD(lr=0.5))
    kind = np.sign(free.state.weights["W_rec"])
    free.network.load(free.state.weights)
    for _ in range(20):
        free.step()
    assert (kind * free.state.weights["W_rec"] < 0).any()


def test_signs_are_kept_by_cutting_a_change_at_zero():
    rng = np.random.default_rng(0)
    weights = {"W_rec": rng.normal(size=(30, 30)), "W_out": rng.normal(size=(2, 30))}
    weights["W_rec"][0] = 0
    stage = KeepSigns(names=("W_rec",))
    state, start = stage.start(weights), weights
    for _ in range(5):
        change = {name: rng.normal(size=w.shape) for name, w in weights.items()}
        asked = {name: c.copy() for name, c in change.items()}
        change = stage(change, weights, state, 0.0)
        weights = {name: w + change[name] for name, w in weights.items()}
        np.testing.assert_array_equal(change["W_out"], asked["W_out"])
        np.testing.assert_array_equal(change["W_rec"][0], asked["W_rec"][0])
        assert (np.sign(start["W_rec"]) * weights["W_rec"] >= 0).all()
    assert KeepSigns()({}, {}, {}, 0.0) == {}


def test_models_refuse_what_cannot_be():
    with pytest.raises(InvalidValue, match=r"^EI\.excitatory: expected a part that leaves cells of both"):
        EI(hidden=4, excitatory=0.99)
    with pytest.raises(InvalidValue, match=r"^ConductanceLIF\.e_e: expected a number above 1"):
        ConductanceLIF(e_e=0.5)
    with pytest.raises(InvalidValue, match=r"^Izhikevich\.diversity: expected a number from 0 to 1"):
        Izhikevich(diversity=2.0)
    with pytest.raises(InvalidValue, match=r"^Recipe\.decorrelation: expected None, as weights of ei keep"):
        learner(EI(hidden=20), decorrelation=Decorrelation())
