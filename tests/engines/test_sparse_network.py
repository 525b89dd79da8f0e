"""Sparse recurrent synapses: the dense network with zeros where there are none, and delays of each axon."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms

from neuroanp.models import LIF
from neuroanp.network.trial import Trial
from neuroanp.rules import NodePerturbation
from neuroanp.testing import check_model
from neuroanp.training.evaluation import evaluate
from support.sparse import HIDDEN, LATE, MODELS, OUTGOING, SPARSE, build, matrix, pair, trials
from support.spiking import LANES, N_IN, N_OUT, STEPS, Wave, shown, training


@pytest.mark.parametrize("name", MODELS)
def test_the_network_is_the_dense_one_with_zeros(name):
    one, other = (made.run(shown()) for made in pair(MODELS[name]))
    assert one.wiring.targets.shape == (HIDDEN, OUTGOING)
    assert other.wiring is None
    assert 30 < one.traces.sum() < 0.5 * one.traces.size
    np.testing.assert_array_equal(one.traces, other.traces)
    np.testing.assert_allclose(one.outputs, other.outputs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
def test_recurrent_weights_matter_and_late_spikes_come_late(engine):
    """One cell fires; the others hear of it when its axon lets them."""
    made = build(LATE, engine=engine)
    wiring, sender, silent = made.wiring, 4, np.zeros((HIDDEN, N_IN + 1))
    pushed = silent.copy()
    pushed[sender] = 100.0
    weights = {"W_out": np.zeros((N_OUT, HIDDEN)), "W_rec": np.full(wiring.targets.size, 2.0)}
    made.load(weights | {"W_in": pushed})
    record = made.run(Trial(np.ones((1, LANES, N_IN)), np.zeros((1, LANES, N_OUT))), sigma=0.0)
    assert (np.flatnonzero(record.traces[0, 0, 0]) == sender).all()
    made.load(weights | {"W_in": silent})
    late = made.run(
        Trial(np.zeros((12, LANES, N_IN)), np.zeros((12, LANES, N_OUT)), carry=True), sigma=0.0
    ).traces[:, 0, 0]
    step, cell = np.nonzero(late[: wiring.delays[sender] + 1])
    assert wiring.delays[sender] >= 2
    assert set(step) == {wiring.delays[sender]}
    assert {*cell} - {sender} == {*wiring.targets[sender]} - {sender}


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
def test_spikes_under_way_do_not_leak_into_the_next_trial(engine):
    made = build(LATE, engine=engine)
    first = made.run(shown(), 1).traces.copy()
    queue = made.parts.projections["W_rec"]
    assert queue.arriving()[1:].any()
    np.testing.assert_array_equal(made.run(shown(), 1).traces, first)
    made.run(shown(1), 2)
    under_way = queue.arriving().copy()
    evaluate(made, Wave(), shown(2))
    np.testing.assert_array_equal(queue.arriving(), under_way)


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
@pytest.mark.parametrize("passes", [("plus",), ("clean", "plus")])
def test_a_carried_window_goes_on_where_the_clean_course_ended(passes, engine):
    """Spikes under way are the clean pass's in every pass of the next window."""
    made = build(LATE, passes=passes, engine=engine)
    first, second = trials()
    sigma = 0.0 if passes == ("plus",) else 0.5
    together = Trial(
        *(np.concatenate([getattr(t, n) for t in (first, second)]) for n in ("inputs", "targets"))
    )
    whole = made.run(together, sigma=sigma).traces[:, 0].copy()
    ended = made.run(first, sigma=sigma).traces[-9:]
    assert len(passes) == 1 or (ended[:, 0] != ended[:, 1]).any()
    carried = made.run(second, sigma=0.0).traces
    for one in carried.swapaxes(0, 1):
        np.testing.assert_array_equal(one, whole[STEPS:])


@pytest.mark.parametrize("name", ["lif", "conductance-lif"])
def test_a_model_passes_its_check_with_some_of_its_synapses(name):
    """One where weights of either sign have targets of their own, and one where not: two operations."""
    check_model(MODELS[name].replace(hidden=10, delay=4 * ms))


@pytest.mark.parametrize(
    ("engine", "dtype", "tolerance"),
    [("runtime", "float64", 1e-9), ("compiled", "float32", 1e-3)],
)
def test_training_is_that_of_the_dense_network_whose_other_weights_stay_zero(engine, dtype, tolerance):
    """Stages see a vector; the loss of every update is that of the full matrix."""
    model = LIF(hidden=HIDDEN, input_gain=3.0, **SPARSE)
    made = training(model=model, engine=engine, dtype=dtype)
    rule = Masked(sigma=0.1, hold=10, readout="delta")
    full = training(model=model.replace(density=1.0), rule=rule, engine="runtime", dtype=dtype)
    wiring = made.network.wiring
    full.state.weights = made.state.weights | {"W_rec": matrix(wiring, made.state.weights["W_rec"])}
    exists = matrix(wiring, 1.0) > 0
    object.__setattr__(rule, "exists", exists)
    full.network.load(full.state.weights)
    start = made.state.weights["W_rec"].copy()
    losses = np.array([[one.step().loss for one in (made, full)] for _ in range(5)])
    np.testing.assert_allclose(losses[:, 0], losses[:, 1], rtol=tolerance)
    assert np.abs(made.state.weights["W_rec"] - start).max() > 1e-3
    assert made.state.weights["W_rec"].shape == (HIDDEN * OUTGOING,)
    assert not full.state.weights["W_rec"][~exists].any()


class Masked(NodePerturbation):
    """Node perturbation of the recurrent weights that exist."""

    name = "masked"

    def __call__(self, record, modulator, state):
        update = super().__call__(record, modulator, state)
        return update | {"W_rec": update["W_rec"] * self.exists}
