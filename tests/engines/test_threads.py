"""Threads change no bit: of a trial, way by way, and of a training; and what goes wrong in one is seen."""

from __future__ import annotations

import math
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine import events, products
from neuroanp.engine.elementwise import Elementwise
from neuroanp.engine.events import outer_product
from neuroanp.engine.products import product
from neuroanp.engine.program.crew import AGAIN, TRIES, Alone, Crew, Helpers, Quickest
from neuroanp.engine.threads import parts, physical_cores, summed, threads, together, using
from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, LIF, ConductanceLIF, LeakyTanhRNN, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CartPole, CopyingMemory, PatternGeneration
from neuroanp.training.loop import Trainer

NODES = Perturbation(target="nodes", sigma=0.1, readout=True, recorded=("activity", "trace"))
MODELS = {
    "tanh": TanhRNN(hidden=300),
    "leaky": LeakyTanhRNN(hidden=37),
    "lif": LIF(hidden=37, input_gain=4.0),
    "alif": ALIF(hidden=21, input_gain=4.0),
    "conductance": ConductanceLIF(hidden=21, input_gain=4.0),
}
FIELDS = ("loss", "trace", "traces", "activity", "noise", "outputs", "noise_out")


def network(model, lanes=5, *, passes=("plus", "minus"), perturbation=NODES, dtype="float32", **options):
    """A network with weights, of one thread."""
    made = Network(
        model, 3, 2, 1 * ms, lanes=lanes, passes=passes, perturbation=perturbation, seed=7, dtype=dtype,
        engine="compiled", **options,
    )  # fmt: skip
    weights = model.initial_weights(np.random.default_rng(1), made.n_in, made.n_out)
    weights["W_out"] = np.random.default_rng(2).normal(size=weights["W_out"].shape)
    made.load(weights)
    return made


def trial(lanes=5, steps=40):
    rng = np.random.default_rng(3)
    return Trial(rng.normal(size=(steps, lanes, 3)), rng.normal(size=(steps, lanes, 2)))


def ways(made, number):
    """The ways in which a network of so many threads can run, by kind."""
    made._program.use_threads(number)
    return {type(way): way for way in made._program._way.ways}


def take(made, way):
    made._program._way, made._program.prepared = way, False
    way.begin()


def recorded(made, way, **options):
    take(made, way)
    record = made.run(trial(made.lanes), **options)
    return {name: getattr(record, name).copy() for name in FIELDS}


SLOW = {"conductance", "leaky"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MODELS]
)
def test_every_way_to_run_a_trial_gives_the_same_bits(name):
    """With uneven shares of the lanes, cells that fill no vector, and spikes."""
    made = network(MODELS[name])
    found = ways(made, 3)
    alone, *others = (recorded(made, found[kind], index=4) for kind in (Alone, Helpers, Crew))
    assert alone["trace"].any() and alone["loss"].any()
    for other in others:
        for field, values in alone.items():
            np.testing.assert_array_equal(other[field], values, err_msg=field)


def test_a_carried_trial_goes_on_after_one_that_was_run_in_parts():
    made = network(MODELS["alif"])
    found, results = ways(made, 2), []
    for kind in (Alone, Crew):
        made._state.restore()
        recorded(made, found[kind])
        record = made.run(Trial(trial().inputs, trial().targets, carry=True), 1)
        results.append(record.traces.copy())
    np.testing.assert_array_equal(*results)
    assert results[0].any()


@pytest.mark.parametrize("per_lane", [False, True])
def test_lanes_are_apart_with_noise_on_weights_too(per_lane):
    noisy = Perturbation(target="weights", sigma=0.1, hold_steps=None, per_lane=per_lane)
    made = network(TanhRNN(hidden=20), perturbation=noisy)
    found = ways(made, 2)
    one, other = (recorded(made, found[kind]) for kind in (Alone, Crew))
    for field in ("loss", "trace", "outputs"):
        np.testing.assert_array_equal(one[field], other[field])


def test_networks_whose_rows_share_something_stay_on_one_thread():
    changing = Perturbation(target="weights", sigma=0.1, hold_steps=2)
    made = network(TanhRNN(hidden=20), perturbation=changing)
    made._program.use_threads(2)
    assert type(made._program._way) is Alone
    sparse = network(LIF(hidden=40, density=0.5))
    sparse._program.use_threads(2)
    assert type(sparse._program._way) is Alone


def test_who_runs_out_of_time_waits_at_the_step_that_the_furthest_has_come_to():
    made = network(TanhRNN(hidden=20))
    crew = ways(made, 2)[Crew]
    crew.begin()
    made.run(trial(steps=80))  # memory for the steps that follow the next trial
    made.run(trial(steps=40))
    slower = crew.libraries[1]
    steps = []

    def stopped(library, steps_of):
        def advance(ends, budget, spent):
            if math.isinf(budget):
                steps.append(ends[0])
                return library.advance(ends, budget, spent)
            library.bound[crew.timestep][0] += steps_of
            return False, 0.0

        return advance

    crew.libraries = [
        SimpleNamespace(advance=stopped(library, count), bound=library.bound)
        for library, count in ((crew.leader, 3), (slower, 7))
    ]
    crew.leader.bound[crew.timestep][0] = 0
    finished, _ = crew.advance([40], 0.2, None)
    assert not finished and steps == [7, 7]
    assert [int(library.bound[crew.timestep][0]) for library in crew.libraries] == [7, 7]


def test_the_quickest_way_is_chosen_by_its_time_and_more_threads_have_to_gain():
    def way(milliseconds):
        timed = Alone(SimpleNamespace(bound={0: count}))
        timed.begin = lambda: None

        def advance(ends, budget, spent):
            time.sleep(milliseconds / 1000)
            count[0] += 1
            return True, 0.0

        timed.advance = advance
        return timed

    for lengths, best in (((8, 2, 5), 1), ((4, 4, 8), 0)):
        count = np.zeros(1, np.int64)
        choice = Quickest([way(length) for length in lengths], timestep=0)
        for _ in range(TRIES * 3 + 1):
            choice.advance([1], 0.2, None)
        assert choice.way is choice.ways[best]
    choice.runs = AGAIN
    choice.seconds = [0.0, 0.0, 0.0]
    choice.advance([1], 0.2, None)
    assert choice.runs == 0 and choice.seconds == [math.inf] * 3


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        (CopyingMemory(length=40, delay=3), {"model": TanhRNN(hidden=20), "lanes": 33}),
        pytest.param(
            CopyingMemory(length=2, delay=1),
            {"model": TanhRNN(hidden=300), "lanes": 2},
            marks=pytest.mark.slow,
        ),
        (PatternGeneration(duration=100 * ms), {"lanes": 6}),
        (PatternGeneration(duration=100 * ms), {"preset": "node", "lanes": 6}),
        pytest.param(CartPole(longest=10), {"lanes": 4}, marks=pytest.mark.slow),
    ],
    ids=["rates", "decorrelated", "e-prop", "spikes", "plant"],
)
def test_a_training_has_the_same_bits_with_any_number_of_threads(task, changes, monkeypatch):
    monkeypatch.setattr(products, "WORTH", 1)
    monkeypatch.setattr("neuroanp.engine.threads.LEAST", 256)
    settings = dict(changes)
    recipe = task.recipe(settings.pop("preset", task.presets[0]))
    recipe = recipe.replace(updates=TRIES * 3 + 2, **settings)
    one, three = (
        Trainer(task, recipe, threads=number, tests=0).run(progress=False).weights for number in (1, 3)
    )
    for name, values in one.items():
        np.testing.assert_array_equal(values, three[name], err_msg=name)


@pytest.mark.parametrize("hold", [1, 3])
def test_sums_over_draws_are_those_over_steps(hold):
    """Also of a last draw that the trial cuts short, in parts, and at an episode's end, where noise stops."""
    task = PatternGeneration(duration=50 * ms)
    recipe = task.recipe("node").replace(
        rule=NodePerturbation(sigma=0.1, hold=hold, readout="delta"), lanes=64
    )
    trainer = Trainer(task, recipe, tests=0, threads=1)
    record = trainer.network.run(trainer.trial(0), 0)
    modulator = recipe.modulator(record, trainer.state.modulator)
    x, noise = record.trace[:-1], record.noise
    for cut in (None, 31):
        if cut:
            noise[cut:, 3] = 0.0
        found = recipe.rule(record, modulator, {})["W_rec"]
        post = modulator[:, :, None] * noise / (0.01 * hold)
        np.testing.assert_allclose(found, np.einsum("tli,tlj->ij", post, x), rtol=1e-9, atol=1e-12)


def test_outer_products_with_few_events_are_those_of_matrices():
    rng = np.random.default_rng(0)
    for density, dtype in ((0.02, "float64"), (0.02, "float32"), (0.4, "float64"), (0.0, "float64")):
        post = rng.normal(size=(200, 30)).astype(dtype)
        x = (rng.random((200, 101)) < density).astype(dtype) * rng.normal(size=(200, 101)).astype(dtype)
        np.testing.assert_allclose(
            outer_product(post, x), post.T @ x, rtol=0, atol=1e-4 if dtype == "float32" else 1e-12
        )
    for narrow, wide in ((1, 256), (16, 300), (11, 257)):
        a, b = rng.normal(size=(70, narrow)), rng.normal(size=(70, wide))
        a[::3] = 0.0
        np.testing.assert_allclose(outer_product(b, a), b.T @ a, atol=1e-12)
    late = np.zeros((400, 101))
    late[300:] = 1.0  # more than it looked like
    post = rng.normal(size=(400, 30))
    np.testing.assert_allclose(outer_product(post, late), post.T @ late, atol=1e-12)
    assert events._functions()  # or nothing of this was tried


def test_sums_are_formed_in_the_order_of_their_items(monkeypatch):
    values = np.random.default_rng(0).normal(size=(50, 1000)) * 10.0 ** np.arange(50)[:, None]

    def function(k):
        time.sleep(0.001 * (k % 3))
        return {"sum": values[k].copy()}

    expected = values[0].copy()
    for row in values[1:]:
        expected += row
    for number in (1, 2, 5):
        with using(number):
            np.testing.assert_array_equal(summed(function, range(50))["sum"], expected)


def test_an_error_in_any_thread_is_raised_and_the_others_end():
    def function(k):
        if k == 3:
            raise ZeroDivisionError("of three")
        return {"a": np.ones(2)}

    with using(3), pytest.raises(ZeroDivisionError, match="of three"):
        summed(function, range(20))
    with pytest.raises(ZeroDivisionError):
        together([lambda: 1, lambda: 1 / 0])
    assert together([lambda: threads(), lambda: threads()]) == [1, 1]


def test_an_interrupted_sum_ends(monkeypatch):
    """A Ctrl-C may come while the main thread waits for its turn."""
    main, wait = threading.main_thread(), threading.Condition.wait

    def interrupted(self, timeout=None):
        if threading.current_thread() is main and sys._getframe(1).f_code.co_name == "add":
            raise KeyboardInterrupt
        return wait(self, timeout)

    def function(k):
        time.sleep(0.02 if threading.current_thread() is not main else 0.001)
        return {"a": np.ones(2)}

    monkeypatch.setattr(threading.Condition, "wait", interrupted)
    with using(2), pytest.raises(KeyboardInterrupt):
        summed(function, range(20))


def test_tasks_of_one_thread_may_use_the_others_no_further():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(900, 50)), rng.normal(size=(50, 400))
    with using(2):
        both = together([lambda: product(a, b), lambda: product(a, b)])
    np.testing.assert_array_equal(both[0], both[1])
    np.testing.assert_allclose(both[0], a @ b, atol=1e-12)


def test_elements_are_shared_in_whole_vectors(monkeypatch):
    monkeypatch.setattr("neuroanp.engine.threads.LEAST", 100)
    with using(3):
        assert parts(1000) == [(0, 384), (384, 384), (768, 232)]
        decay = Elementwise("x = x - rate * x * x", arrays=("x",), numbers=("rate",))
        x = np.linspace(0, 1, 1000)
        decay(x, 0.5)
    np.testing.assert_allclose(x, (y := np.linspace(0, 1, 1000)) - 0.5 * y * y, rtol=1e-15)
    assert parts(50) == [(0, 50)] and parts(0) == []


def test_threads_that_can_not_be_are_refused():
    assert physical_cores() >= 1
    for number in (0, -1, 1.5, True):
        with pytest.raises(InvalidValue, match=r"^Trainer.threads: expected a whole number of 1 or more"):
            Trainer(CopyingMemory(), CopyingMemory().recipe("best"), threads=number)
        with pytest.raises(InvalidValue, match=r"^Network.threads: expected a whole number of 1 or more"):
            network(TanhRNN(hidden=4), threads=number)
