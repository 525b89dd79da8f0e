"""Penalty on rates: the term written out, sparse and on chip, and what it does to cells in a training."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from brian2 import Hz

from neuroanp import Network, RatePenalty, evaluate
from neuroanp.cli.export_rtl import Rtl
from neuroanp.cli.main import main
from neuroanp.errors import InvalidValue
from neuroanp.hardware import OnChip
from neuroanp.hardware.export.learning import described
from neuroanp.hardware.locality import locality
from neuroanp.models import LIF, CurrentLIF, TanhRNN
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import SPSA, EProp, NodePerturbation, ReadoutOnly
from neuroanp.training.recipe import Recipe
from support.chip import SPIKING, apart, both, train
from support.sparse import MODELS, existing, pair, trials
from support.spiking import LANES, STEPS, Wave, training
from support.toys import Echo

PENALTY = RatePenalty(strength=0.3, lowest=40 * Hz, highest=60 * Hz)


@pytest.mark.parametrize("passes", [("plus",), ("clean", "plus"), ("plus", "minus")])
def test_the_term_is_excess_times_mean_trace(passes):
    sparse, dense = pair(MODELS["lif"], passes=passes)
    for index, trial in enumerate(trials()):
        one, other = (made.run(trial, index) for made in (sparse, dense))
        course = dict(zip(passes, np.moveaxis(other.traces, 1, 0), strict=True))
        x = course["clean"] if "clean" in course else np.mean(list(course.values()), axis=0)
        seen = np.concatenate([other.trace[:1], x[:-1]])
        rates = x.sum(axis=(0, 1)) / (STEPS * LANES * 1e-3)
        excess = np.array([max(0, rate - 60) - max(0, 40 - rate) for rate in rates])
        assert (excess > 0).any() and (excess < 0).any() and (excess == 0).any()
        start = {name: np.full_like(w, 2.0) for name, w in dense.weights.items()}
        estimate = PENALTY(other, start)
        for name, sent in (("W_in", other.inputs), ("W_rec", seen)):
            by_hand = 2 + 0.3 * excess[:, None] * sent.mean(axis=(0, 1))
            np.testing.assert_allclose(estimate[name], by_hand, rtol=1e-9)
        assert estimate["W_out"] is start["W_out"]
        wired = PENALTY(one, {"W_rec": np.zeros_like(sparse.weights["W_rec"])})
        np.testing.assert_allclose(wired["W_rec"], existing(one.wiring, estimate["W_rec"] - 2), rtol=1e-9)
        mixed = {"D_in": np.diag([1.0, 2.0, 3.0, 4.0]), "D_hidden": 3 * np.eye(30)}
        through_D = PENALTY(dataclasses.replace(other, decorrelation=mixed), start)
        np.testing.assert_allclose(through_D["W_in"] - 2, (estimate["W_in"] - 2) * [1, 2, 3, 4], rtol=1e-9)
        np.testing.assert_allclose(through_D["W_rec"] - 2, (estimate["W_rec"] - 2) * 3, rtol=1e-9)


def test_weights_that_do_not_learn_stay():
    made = training(rule=ReadoutOnly(), modulator=Modulator(), rates=PENALTY, updates=1)
    before = made.state.weights
    next(iter(made))
    for name in ("W_in", "W_rec"):
        np.testing.assert_array_equal(made.state.weights[name], before[name])


@pytest.mark.parametrize(("bias", "stray"), [(-0.5, "silent"), (6.0, "saturated")])
def test_cells_come_back_into_the_range(bias, stray):
    model = LIF(hidden=40, bias_mean=bias, input_gain=0.1)
    settings = {"model": model, "updates": 200}
    kept = RatePenalty(strength=1.0, highest=60 * Hz)
    plain, held = (training(**settings, rates=rates).run(False).result for rates in (None, kept))
    assert plain[stray] > 0.5 > 0.3 > held[stray]
    assert held["test_loss"] < 0.2 < plain["test_loss"]


@pytest.mark.parametrize("model", [LIF(bias_mean=1e6), CurrentLIF(bias_mean=1e6)], ids=lambda m: m.name)
def test_cells_that_are_driven_without_measure_fire_at_the_highest_rate(model):
    task = Wave()
    made = Network(model, task.n_in, task.n_out, task.dt, lanes=1, engine="runtime")
    made.load(model.initial_weights(np.random.default_rng(0), made.n_in, task.n_out))
    measured = evaluate(made, task, task.evaluation(np.random.default_rng(0)))
    assert measured.rate == pytest.approx(model.highest_rate(task.dt), rel=0.02)
    assert measured.saturated == 1 and measured.silent == 0


@pytest.mark.parametrize("rule", [NodePerturbation(sigma=0.3), EProp(feedback="random")])
def test_on_chip_is_the_fast_path(rule):
    rates = RatePenalty(strength=0.02, lowest=60 * Hz, highest=150 * Hz)
    chip, fast = both(model=SPIKING, rule=rule, rates=rates)
    plain, _ = both(model=SPIKING, rule=rule)
    losses = train(chip, fast)
    for trial in range(len(losses)):
        plain.step(trial)
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=1e-9)
    assert max(apart(chip, fast).values()) < 1e-9
    assert np.abs(chip.weights["W_rec"] - plain.weights["W_rec"]).max() > 1e-3


def test_it_is_local_but_for_mirrored_passes(capsys):
    assert locality(NodePerturbation(), rates=RatePenalty()).local
    recipe = Recipe(model=SPIKING, modulator=Modulator(baseline=RunningMean()), decorrelation=None)
    written = described(recipe.replace(rates=RatePenalty()))
    assert written["local"] and "clip(fired" in written["synapses"]["W_rec"]["learn"]
    assert "fired" not in str(described(recipe))
    mirrored = locality(SPSA(readout="fixed"), modulator=Modulator(), rates=RatePenalty())
    assert "mean of the spikes over the plus and the minus pass" in str(mirrored)
    assert main(["locality", "node-perturbation", "--rates.highest", "20 Hz"]) == 0
    assert "highest 20. Hz" in capsys.readouterr().out


def test_what_it_cannot_do_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match=r"^Recipe\.rates: expected None, as units of tanh don't spike"):
        Recipe(model=TanhRNN(), rates=RatePenalty()).check(Wave())
    with pytest.raises(InvalidValue, match=r"^OnChip\.rates: expected None, as units of tanh don't spike"):
        OnChip(TanhRNN(), Echo(), rule=NodePerturbation(), rates=RatePenalty())
    run = SimpleNamespace(recipe=Recipe(model=SPIKING, rates=RatePenalty()))
    with pytest.raises(InvalidValue, match=r"^export\.rtl\.run: expected a recipe without a penalty"):
        Rtl().write(run, tmp_path)
    with pytest.raises(InvalidValue, match=r"^RatePenalty\.lowest: expected at most highest"):
        RatePenalty(lowest=70 * Hz)
    with pytest.raises(InvalidValue, match=r"^RatePenalty\.highest: expected"):
        RatePenalty(highest=50)
