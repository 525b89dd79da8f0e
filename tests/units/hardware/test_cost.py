"""What a network would cost: counts by hand, NeuroBench's definitions, and SANA-FE with our spikes."""

import dataclasses
import json
import sys

import numpy as np
import pytest
from brian2 import ms

import neuroanp as nap
from neuroanp.cli.main import main
from neuroanp.errors import InvalidValue, MissingExtra
from neuroanp.hardware import cost, energy, neurobench
from neuroanp.hardware.activity import Activity, after_spike
from neuroanp.hardware.learning_cost import Learning
from neuroanp.hardware.neurobench import Layer
from neuroanp.models import ALIF, LIF, CurrentLIF, Izhikevich, TanhRNN
from neuroanp.optim import SGD
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import EvolutionStrategies, NodePerturbation, RewardSTDP, WeightPerturbation
from neuroanp.substrate import Analog, FixedPoint
from neuroanp.tasks import DelayedXOR, PatternGeneration

pytestmark = pytest.mark.usefixtures("interpreted")

MODEL = CurrentLIF(hidden=12, input_gain=4.0, recurrent_gain=2.0)
TASK = PatternGeneration(duration=100 * ms, ticks=4, curves=2)
LOCAL = {
    "rule": NodePerturbation(sigma=0.05), "modulator": Modulator(baseline=RunningMean()),
    "optimizer": SGD(lr=1e-5), "lanes": 1,
}  # fmt: skip


def trained(task=TASK, **changes):
    options = {"preset": "node", "model": MODEL, "lanes": 4, "updates": 1, "decorrelation": None} | changes
    return nap.train(task=task, engine="runtime", seed=3, progress=False, tests=0, **options)


@pytest.fixture(scope="module")
def run():
    return trained()


def with_(run, **changes):
    """Run with another recipe, as if it had been trained so."""
    return dataclasses.replace(run, settings=(run.task, run.recipe.replace(**changes)))


def measured(run, **options):
    network = run.network(1, engine="runtime", **options)
    return Activity.of(network, run.task.evaluation(np.random.default_rng(0)))


def test_counts_of_two_cells_by_hand():
    """Cell 0 fires at steps 0 to 2, as the clock's first channel says, and cell 1 a step later each time."""
    task = PatternGeneration(duration=6 * ms, ticks=2)
    weights = {
        "W_in": np.array([[100.0, 0, 0], [0, 0, 0]]),  # the last one is the bias
        "W_rec": np.array([[0, 0], [2, -0.5]]),
        "W_out": np.array([[0.3, 0]]),
    }
    of = trained(task, model=CurrentLIF(hidden=2), **LOCAL)
    counts = cost(dataclasses.replace(of, weights=weights))
    assert (counts.trials, counts.steps, counts.spikes) == (1, 6, 6)
    assert counts.rate == pytest.approx(500)
    assert counts.synaptic_events == {"W_in": 6 * 2, "W_rec": 6 * 2, "W_out": 6}
    bench = counts.neurobench
    assert bench.footprint == 8 * (12 + 4 + 1)  # weights; potentials and currents; output
    assert bench.connection_sparsity == 6 / 10 and bench.activation_sparsity == 1 / 2
    acs = 3 + (3 + 3) + 3
    assert (bench.effective_macs, bench.effective_acs, bench.dense) == (0, acs, 6 * 10)
    assert bench.membrane_updates == 2 + 2  # the first step, and cell 1 after its last spike
    assert counts.learning.missing is None and counts.learning.passes == ("plus",)
    synapse = of.recipe.rule.synapse("W_rec", ("plus",))
    assert synapse.operations(synapse.each_step) == 6
    assert counts.learning.variables == {"eligibility": 12, "gradient": 12}
    assert (counts.learning.step, counts.learning.trial) == (12 * 6, 6 * 12 * 6 + 12 * 2)
    assert counts.bits == {"weights": 12 * 32, "cells": 4 * 32, "readout": 32, "learning": 24 * 32}
    narrow = cost(dataclasses.replace(of, weights=weights), numbers=FixedPoint(weight_bits=8)).fixed_bits
    assert narrow == {"weights": 12 * 8, "cells": 4 * 24, "readout": 24, "learning": 12 * (16 + 24)}


def test_neurobenchs_definitions_by_hand():
    spikes = np.array([[[1, 0], [0, 0]], [[0, 0], [1, 1]], [[-1, 0], [0, 1]]])  # (T, L, n)
    binary = Layer(np.array([[1.0, 0], [2, 0], [3, 4]]), spikes)
    mixed = Layer(np.array([[0.5, 2]]), np.where(spikes == 1, 0.7, spikes))
    zeros = Layer(np.zeros((1, 2)), np.zeros((3, 2, 2)))
    macs, acs, dense = neurobench.synaptic_operations([binary, mixed, zeros])
    assert acs == (3 + 3 + 1 + 3 + 1) / 2
    assert macs == 5 / 2  # each of its steps has a number that is no spike
    assert dense == (6 * 6 + 6 * 2 + 6 * 2) / 2
    assert neurobench.connection_sparsity([binary, mixed, zeros]) == 4 / 10
    assert neurobench.activation_sparsity(spikes) == 7 / 12
    potential = np.array([[[0.0, 1]], [[0, 2]], [[0, 2]], [[1, 0]]])
    assert neurobench.membrane_updates(potential) == 2 + 1 + 2


def test_events_of_synapses_with_delays_and_without_all_cells():
    of = trained(model=LIF(hidden=12, input_gain=6.0, density=0.25, delay=5 * ms), updates=1)
    seen = measured(of, recorded=("potential",))
    wiring, T = nap.network.wiring.Wiring.stored(of.weights), 100
    z, arrivals, operations = seen.hidden[:, 0], 0, 0
    for t, cell in zip(*np.nonzero(z), strict=True):
        arrivals += 3 * (t + 1 + wiring.delays[cell] < T)
    assert arrivals > 30 and wiring.delays.max() >= 4
    assert seen.events["W_rec"] == arrivals and seen.events["W_out"] == 2 * z.sum()
    weights, w = seen.layers["W_rec"].weights, of.weights["W_rec"].reshape(12, 3)
    for cell in range(12):
        np.testing.assert_array_equal(weights[wiring.targets[cell], cell], w[cell])
    assert neurobench.connection_sparsity([seen.layers["W_rec"]]) == 0.75
    bench = cost(of).neurobench
    operations = seen.events["W_in"] + arrivals + 2 * z.sum()
    assert (bench.effective_macs, bench.effective_acs) == (0, operations)
    refractory = (np.diff(seen.potential[:, 0], axis=0) == 0).sum()
    assert refractory > 0 and bench.membrane_updates == 100 * 12 - refractory


def test_units_with_rates_multiply_and_have_no_potentials():
    of = trained(model=TanhRNN(hidden=5, skip=True, skip_steps=2), decorrelation=nap.Decorrelation(rate=0.1))
    counts = cost(of)
    clock = 100 * 5 + 100 * 2 + 99 * 2  # W_in, and two steps of W_skip
    assert counts.spikes is None and counts.fixed_bits is None
    assert counts.neurobench.effective_acs == clock and counts.neurobench.membrane_updates == 0
    assert counts.neurobench.effective_macs == 99 * 25 + 100 * 10
    assert counts.neurobench.activation_sparsity == 0 and "rates" in str(counts)
    assert counts.bits["cells"] == 5 * 32 and counts.learning.step is None
    assert "skip" in counts.learning.missing.quantity
    D = of.weights["D_hidden"]
    assert not np.array_equal(D, np.eye(5))
    np.testing.assert_allclose(measured(of).layers["W_rec"].weights, of.weights["W_rec"] @ D)


def test_what_is_not_local_is_said(run):
    network, recipe = run.network(1), run.recipe
    shared = Learning.of(recipe, network, 10)
    alone = Learning.of(recipe.replace(modulator=Modulator(baseline=RunningMean())), network, 10)
    assert "other lanes" in shared.missing.quantity and "counted: one lane, a running mean" in str(shared)
    assert alone.missing is None and shared.step == alone.step and f"{alone.step:,} a step" in str(alone)
    signs = Learning.of(recipe.replace(rule=WeightPerturbation(distribution="sign")), network, 10)
    assert signs.one_bit == ("weight_noise",) and alone.one_bit == ()
    assert Learning.of(recipe.replace(rule=RewardSTDP()), network, 10).one_bit == ("arrived",)
    none = Learning.of(recipe.replace(rule=EvolutionStrategies()), network, 10)
    assert none.missing is not None and (none.step, none.trial, none.variables) == (None, None, {})
    assert "operations" not in str(none)


class Own(CurrentLIF):
    """Cells that lose what the threshold is."""

    reset = "v -= 1; spiked = 1"


def test_the_potential_after_a_spike_is_the_models_or_not_known(run):
    cells = Izhikevich(hidden=3)
    assert after_spike(LIF()) == 0 and after_spike(Own()) is None and after_spike(TanhRNN()) is None
    np.testing.assert_array_equal(after_spike(cells), cells.parameters()["c"])
    assert cost(with_(run, model=Own(hidden=12))).neurobench.membrane_updates is None


def test_sanafe_has_our_spikes_and_says_where_it_has_not(run):
    pytest.importorskip("sanafe", reason="sanafe is not installed")
    W_in = run.weights["W_in"].copy()
    W_in[:, -1] = np.linspace(0.5, 4, 12)  # biases, which act a step before the inputs
    run = dataclasses.replace(run, weights=run.weights | {"W_in": W_in})
    seen = measured(run)
    spikes, altered = int(seen.hidden.sum()), seen.hidden.copy()
    altered[17, 0, 5] = 1 - altered[17, 0, 5]
    found = energy.energy_of(run, dataclasses.replace(seen, hidden=altered))
    assert found.differ == 1 and found.cell_steps == 1200 and spikes > 50
    assert "1 of 1,200 cell-steps differ from ours; these are NOT the estimates" in str(found)
    assert "NOT" not in str(dataclasses.replace(found, differ=0)) and "no learning" in str(found)
    assert found.synaptic_events == 12 * (100 + spikes)
    assert found.joules["synapse"] == pytest.approx(35.5e-12 * found.synaptic_events)
    assert found.total == pytest.approx(sum(found.joules.values())) and 1e-5 < found.seconds < 1e-2


@pytest.mark.slow
def test_numbers_near_one_are_too_coarse_for_sanafe(run, monkeypatch, capsys):
    """Six seconds: why weights and thresholds are multiplied by a large number."""
    pytest.importorskip("sanafe", reason="sanafe is not installed")
    counts = cost(run, energy=True)
    assert counts.energy.differ == 0 and counts.energy.spikes == counts.spikes
    assert "0 of 1,200 cell-steps differ" in str(counts) and capsys.readouterr().out == ""
    monkeypatch.setattr(energy, "SCALE", 1.0)
    assert cost(run, energy=True).energy.differ > 0


def test_what_sanafe_cannot_have_is_refused_by_name(run, monkeypatch):
    reasons = (
        "lif: refractoriness, 2 steps.*; a cell that fires loses the recurrent input.*; potentials that start"
    )
    for model, message in ((LIF(hidden=3), reasons), (TanhRNN(hidden=3), "tanh: its units have rates")):
        with pytest.raises(InvalidValue, match=rf"^cost\.energy: expected .* current-lif.*, got {message}"):
            cost(with_(run, model=model), energy=True)
    with pytest.raises(InvalidValue, match=r"^cost\.energy: .* of a Analog substrate"):
        cost(with_(run, substrate=Analog()), energy=True)
    seen = measured(run)
    with pytest.raises(InvalidValue, match=r"^cost\.energy: expected a task whose inputs are spikes.*0\.5"):
        energy.energy_of(run, dataclasses.replace(seen, inputs=0.5 * seen.inputs))
    for lanes in (0, True, 1.5):
        with pytest.raises(InvalidValue, match=r"^cost\.lanes: expected a whole number"):
            cost(run, lanes=lanes)
    monkeypatch.setitem(sys.modules, "sanafe", None)
    with pytest.raises(MissingExtra, match=r"pip install 'neuroanp\[cost\]'"):
        cost(run, energy=True)


def test_the_shell_counts_a_run_without_any_extra(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sanafe", None)
    folder = str(run.save(tmp_path / "run"))
    assert main(["cost", folder, "--weight_bits", "4"]) == 0
    text = capsys.readouterr().out
    assert f"FixedPoint {sum(cost(run, numbers=FixedPoint(weight_bits=4)).fixed_bits.values()):,}:" in text
    assert "NeuroANP's own count" in text and "Effective ACs" in text and "SANA-FE" not in text
    assert main(["cost", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["spikes"] == cost(run).spikes
    assert main(["cost", folder, "--energy"]) == 2
    assert "neuroanp[cost]" in capsys.readouterr().err


def test_feedback_synapses_are_counted_and_e_prop_is_local():
    run = nap.train(
        task=DelayedXOR(evaluation_trials=4), model=ALIF(hidden=6), updates=1, lanes=2, engine="runtime",
        seed=3, progress=False, tests=0,
    )  # fmt: skip
    text = str(cost(run))
    assert run.recipe.rule.name == "e-prop" and "e-prop, local" in text
    learning = Learning.of(run.recipe, run.network(), steps=10)
    assert learning.missing is None and learning.variables["correlation"] == 6  # one output, six cells
